"""From a configuration to the maps of a model: the tensors each is made of, and the shape it computes in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tunesmith.serve.names import Reason
from tunesmith.serve.native.slots import GELU_GATED, GELU_PLAIN, SILU_GATED

_GATES = {"silu": SILU_GATED, "swish": SILU_GATED, "gelu_pytorch_tanh": GELU_GATED, "gelu_new": GELU_GATED}
_GELUS = [name for name, kind in _GATES.items() if kind == GELU_GATED]
_ROPES = ("default", "linear", "llama3", "yarn")
_EVERYTHING = 2**31  # tokens that a token sees where there is no window


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """One linear map: tensors below each other, [outputs, inputs], or the other way round."""

    name: str
    parts: tuple[str, ...]
    outputs: int
    inputs: int
    transposed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A decoder that can be computed here, with names of tensors; `more` is added to weights of norms."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head: int
    inner: int
    vocabulary: int
    context: int
    activation: int
    layered: bool
    headed: bool
    eps: float
    scale: float
    windows: tuple[int, ...]
    matrices: tuple[Matrix, ...]  # four of each layer, then the head
    norms: tuple[str, ...]  # two of each layer, then the last
    head_norms: tuple[str, ...]  # of queries and of keys in each layer
    more: float
    embedding: str
    embedding_factor: float
    positions: str | None  # learned ones
    rotary: bool


def uncovered(config: Any) -> Reason | None:
    """Which part of a model is not computed here, if there is one."""
    if config.model_type not in _KNOWN:
        return lacks("model_type", config.model_type)
    rope = getattr(config, "rope_parameters", None) or {}
    if rope.get("rope_type", "default") not in _ROPES:
        return lacks("rope_type", rope["rope_type"])
    if rope.get("partial_rotary_factor", 1.0) != 1.0:
        return lacks("partial_rotary")
    if config.num_attention_heads % (getattr(config, "num_key_value_heads", None) or 1):
        return lacks("uneven_heads")
    if getattr(config, "add_cross_attention", False):
        return lacks("cross_attention")
    if getattr(config, "scale_attn_by_inverse_layer_idx", False):
        return lacks("scaled_by_layer")
    act = _activation(config)
    known = _GELUS if config.model_type == "gpt2" else _GATES
    return None if act in known else lacks("activation", act)


def lacks(part: str, value: str = "") -> Reason:
    """That something is not computed here."""
    return {"why": f"native.{part}", "value": value}


def plan(config: Any) -> Plan:
    """The maps of a model that is covered, see `uncovered`."""
    return _KNOWN[config.model_type](config)


def _activation(config: Any) -> str:
    names = ("hidden_activation", "hidden_act", "activation_function")
    return str(next((a for name in names if (a := getattr(config, name, None))), None))


def _llama(config: Any, *, headed: bool = False, more: float = 0.0, factor: float = 1.0) -> Plan:
    heads, hidden, inner = config.num_attention_heads, config.hidden_size, config.intermediate_size
    kv_heads = getattr(config, "num_key_value_heads", None) or heads
    head = getattr(config, "head_dim", None) or hidden // heads
    layers = config.num_hidden_layers
    matrices: list[Matrix] = []
    norms: list[str] = []
    for n in range(layers):
        at = f"model.layers.{n}"
        qkv = tuple(f"{at}.self_attn.{part}_proj" for part in "qkv")
        gates = (f"{at}.mlp.gate_proj", f"{at}.mlp.up_proj")
        width = (heads + 2 * kv_heads) * head
        matrices += [
            Matrix(name=f"{n}.qkv", parts=qkv, outputs=width, inputs=hidden),
            Matrix(
                name=f"{n}.output", parts=(f"{at}.self_attn.o_proj",), outputs=hidden, inputs=heads * head
            ),
            Matrix(name=f"{n}.up", parts=gates, outputs=2 * inner, inputs=hidden),
            Matrix(name=f"{n}.down", parts=(f"{at}.mlp.down_proj",), outputs=hidden, inputs=inner),
        ]
        norms += [f"{at}.input_layernorm", f"{at}.post_attention_layernorm"]
    tied = config.tie_word_embeddings
    last = "model.embed_tokens" if tied else "lm_head"
    matrices.append(Matrix(name="head", parts=(last,), outputs=config.vocab_size, inputs=hidden))
    of_heads = [f"model.layers.{n}.self_attn.{part}_norm" for n in range(layers) for part in "qk"]
    return Plan(
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=kv_heads,
        head=head,
        inner=inner,
        vocabulary=config.vocab_size,
        context=config.max_position_embeddings,
        activation=_GATES[_activation(config)],
        layered=False,
        headed=headed,
        eps=config.rms_norm_eps,
        scale=head**-0.5,
        windows=_windows(config),
        matrices=tuple(matrices),
        norms=(*norms, "model.norm"),
        head_norms=tuple(of_heads) if headed else (),
        more=more,
        embedding="model.embed_tokens",
        embedding_factor=factor,
        positions=None,
        rotary=True,
    )


def _windows(config: Any) -> tuple[int, ...]:
    """How many tokens a token of each layer sees."""
    window: int | None = getattr(config, "sliding_window", None)
    if not window or not getattr(config, "use_sliding_window", True):
        return (_EVERYTHING,) * int(config.num_hidden_layers)
    kinds: list[str] = (
        getattr(config, "layer_types", None) or ["sliding_attention"] * config.num_hidden_layers
    )
    return tuple(window if kind == "sliding_attention" else _EVERYTHING for kind in kinds)


def _gemma(config: Any) -> Plan:
    return _llama(config, more=1.0, factor=config.hidden_size**0.5)


def _gpt2(config: Any) -> Plan:
    hidden, layers = config.n_embd, config.n_layer
    inner = config.n_inner or 4 * hidden
    matrices: list[Matrix] = []
    norms: list[str] = []
    for n in range(layers):
        at = f"transformer.h.{n}"
        sizes = {
            "qkv": ("attn.c_attn", 3 * hidden, hidden),
            "output": ("attn.c_proj", hidden, hidden),
            "up": ("mlp.c_fc", inner, hidden),
            "down": ("mlp.c_proj", hidden, inner),
        }
        for name, (part, outputs, inputs) in sizes.items():
            matrices.append(
                Matrix(name=f"{n}.{name}", parts=(f"{at}.{part}",), outputs=outputs, inputs=inputs,
                       transposed=True)
            )  # fmt: skip
        norms += [f"{at}.ln_1", f"{at}.ln_2"]
    last = "transformer.wte" if config.tie_word_embeddings else "lm_head"
    matrices.append(Matrix(name="head", parts=(last,), outputs=config.vocab_size, inputs=hidden))
    head = hidden // config.n_head
    return Plan(
        layers=layers,
        hidden=hidden,
        heads=config.n_head,
        kv_heads=config.n_head,
        head=head,
        inner=inner,
        vocabulary=config.vocab_size,
        context=config.n_positions,
        activation=GELU_PLAIN,
        layered=True,
        headed=False,
        eps=config.layer_norm_epsilon,
        scale=head**-0.5 if config.scale_attn_weights else 1.0,
        windows=(_EVERYTHING,) * layers,
        matrices=tuple(matrices),
        norms=(*norms, "transformer.ln_f"),
        head_norms=(),
        more=0.0,
        embedding="transformer.wte",
        embedding_factor=1.0,
        positions="transformer.wpe",
        rotary=False,
    )


_KNOWN: dict[str, Callable[[Any], Plan]] = {
    "llama": _llama,
    "mistral": _llama,
    "qwen2": _llama,
    "qwen3": lambda config: _llama(config, headed=True),
    "gemma": _gemma,
    "gpt2": _gpt2,
}
