"""How GGUF holds the models of a family: names of tensors and settings, and what is turned on the way.

llama.cpp turns pairs of neighbouring numbers for rotary positions where Llama's checkpoints turn halves, so
the rows of its queries and keys stand in another order. GPT-2 keeps its matrices the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np

from tunesmith.models.export.refusal import no_gguf

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Weights = NDArray[np.float32]

ARCHITECTURES = {
    "llama": gguf.MODEL_ARCH.LLAMA,
    "mistral": gguf.MODEL_ARCH.LLAMA,
    "qwen2": gguf.MODEL_ARCH.QWEN2,
    "qwen3": gguf.MODEL_ARCH.QWEN3,
    "gpt2": gguf.MODEL_ARCH.GPT2,
}
"""By the `model_type` of a `transformers` configuration."""

_SUFFIXES = (".weight", ".bias")


def architecture(config: Mapping[str, Any]) -> gguf.MODEL_ARCH:
    """The architecture of a configuration.

    Raises:
        ModelError: M76 when GGUF files are not written for it.
    """
    kind = config.get("model_type", "")
    scaling = config.get("rope_scaling") or config.get("rope_parameters") or {}
    if kind not in ARCHITECTURES:
        raise no_gguf("of_architecture", kind, known=", ".join(ARCHITECTURES))
    window = config.get("sliding_window") if config.get("use_sliding_window", True) else None
    if window and window < config.get("max_position_embeddings", 0):
        raise no_gguf("looks_back", window)
    if scaling.get("rope_type", "default") != "default":
        raise no_gguf("scaled_positions", scaling["rope_type"])
    return ARCHITECTURES[kind]


def named(name: str, arch: gguf.MODEL_ARCH, layers: int) -> str | None:
    """GGUF's name of a tensor; None for one that it does not keep.

    Raises:
        ModelError: M76 when it has no name for it.
    """
    if name.endswith((".attn.bias", ".attn.masked_bias", "rotary_emb.inv_freq")):
        return None
    found = gguf.get_tensor_name_map(arch, layers).get_name(name, try_suffixes=_SUFFIXES)
    if found is None:
        raise no_gguf("no_place", name)
    return found


def names_back(arch: gguf.MODEL_ARCH, layers: int, known: list[str]) -> dict[str, str]:
    """From GGUF's names to those of `known` tensors."""
    pairs = ((named(name, arch, layers), name) for name in known)
    return {new: name for new, name in pairs if new is not None}


def turned(name: str, weights: Weights, config: Mapping[str, Any]) -> Weights:
    """A tensor as GGUF holds it."""
    if config["model_type"] == "gpt2" and name.endswith(_TRANSPOSED):
        return np.ascontiguousarray(weights.T)
    heads = _rotated_heads(name, config)
    return weights if heads is None else _paired(weights, heads)


def turned_back(name: str, weights: Weights, config: Mapping[str, Any]) -> Weights:
    """A tensor as `transformers` holds it."""
    if config["model_type"] == "gpt2" and name.endswith(_TRANSPOSED):
        return np.ascontiguousarray(weights.T)
    heads = _rotated_heads(name, config)
    if heads is None:
        return weights
    half = weights.shape[0] // heads // 2
    return weights.reshape(heads, half, 2, -1).swapaxes(1, 2).reshape(weights.shape)


_TRANSPOSED = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")


def _rotated_heads(name: str, config: Mapping[str, Any]) -> int | None:
    """How many heads a tensor of queries or keys has, in families whose rows are reordered."""
    if config["model_type"] not in ("llama", "mistral"):
        return None
    if ".q_proj." in name:
        return int(config["num_attention_heads"])
    return int(config["num_key_value_heads"]) if ".k_proj." in name else None


def _paired(weights: Weights, heads: int) -> Weights:
    """Rows of halves, one after the other, as rows of pairs."""
    half = weights.shape[0] // heads // 2
    return weights.reshape(heads, 2, half, -1).swapaxes(1, 2).reshape(weights.shape)


def settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a configuration under the names of GGUF, without the architecture before them."""
    if config["model_type"] == "gpt2":
        return {
            "context_length": config["n_positions"],
            "embedding_length": config["n_embd"],
            "feed_forward_length": config.get("n_inner") or 4 * config["n_embd"],
            "block_count": config["n_layer"],
            "attention.head_count": config["n_head"],
            "attention.layer_norm_epsilon": float(config["layer_norm_epsilon"]),
        }
    heads = config["num_attention_heads"]
    width = config.get("head_dim") or config["hidden_size"] // heads
    rope = config.get("rope_parameters") or {}
    return {
        "context_length": config["max_position_embeddings"],
        "embedding_length": config["hidden_size"],
        "feed_forward_length": config["intermediate_size"],
        "block_count": config["num_hidden_layers"],
        "attention.head_count": heads,
        "attention.head_count_kv": config["num_key_value_heads"],
        "attention.key_length": width,
        "attention.value_length": width,
        "attention.layer_norm_rms_epsilon": float(config["rms_norm_eps"]),
        "rope.dimension_count": width,
        "rope.freq_base": float(config.get("rope_theta") or rope.get("rope_theta", 10_000.0)),
    }


def config_of(kind: str, found: Mapping[str, Any], vocab: int, *, tied: bool) -> dict[str, Any]:
    """The configuration of `transformers` that settings of GGUF amount to; the other way of `settings`."""
    both = {"model_type": kind, "vocab_size": vocab, "tie_word_embeddings": tied}
    if kind == "gpt2":
        return {
            **both,
            "n_positions": found["context_length"],
            "n_embd": found["embedding_length"],
            "n_inner": found["feed_forward_length"],
            "n_layer": found["block_count"],
            "n_head": found["attention.head_count"],
            "layer_norm_epsilon": found["attention.layer_norm_epsilon"],
        }
    heads = found["attention.head_count"]
    return {
        **both,
        "max_position_embeddings": found["context_length"],
        "hidden_size": found["embedding_length"],
        "intermediate_size": found["feed_forward_length"],
        "num_hidden_layers": found["block_count"],
        "num_attention_heads": heads,
        "num_key_value_heads": found.get("attention.head_count_kv", heads),
        "head_dim": found.get("attention.key_length", found["embedding_length"] // heads),
        "rms_norm_eps": found["attention.layer_norm_rms_epsilon"],
        "rope_theta": found.get("rope.freq_base", 10_000.0),
    }
