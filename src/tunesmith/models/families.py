"""Families of models that can be made from nothing: their classes, names of their sizes. No torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from tunesmith.core.recipe import Made, Scratch

Kind = Literal["decoder", "encoder", "encoder_decoder"]
Names: TypeAlias = Mapping[str, str | tuple[str, ...]]

_LONG: Names = {
    "vocab": "vocab_size", "hidden": "hidden_size", "layers": "num_hidden_layers",
    "heads": "num_attention_heads", "inner": "intermediate_size", "context": "max_position_embeddings",
}  # fmt: skip
_GROUPED: Names = {**_LONG, "kv_heads": "num_key_value_heads", "dropout": "attention_dropout"}
_BERT: Names = {**_LONG, "dropout": ("hidden_dropout_prob", "attention_probs_dropout_prob")}
_MODERN: Names = {**_LONG, "dropout": ("embedding_dropout", "mlp_dropout", "attention_dropout")}
_PHI: Names = {**_GROUPED, "dropout": ("embd_pdrop", "resid_pdrop", "attention_dropout")}
_REFERENCE: Names = {**{key: name for key, name in _LONG.items() if key != "inner"}, "dropout": "dropout"}
_DISTIL: Names = {
    **_LONG, "hidden": "dim", "layers": "n_layers", "heads": "n_heads", "inner": "hidden_dim",
    "dropout": ("dropout", "attention_dropout"),
}  # fmt: skip
_GPT2: Names = {
    "vocab": "vocab_size", "hidden": "n_embd", "layers": "n_layer", "heads": "n_head", "inner": "n_inner",
    "context": "n_positions", "dropout": ("embd_pdrop", "resid_pdrop", "attn_pdrop"),
}  # fmt: skip
_T5: Names = {
    "vocab": "vocab_size", "hidden": "d_model", "layers": "num_layers", "heads": "num_heads", "inner": "d_ff",
    "head": "d_kv", "dropout": "dropout_rate",
}  # fmt: skip
_PAIR: Names = {
    "vocab": "vocab_size", "hidden": "d_model", "context": "max_position_embeddings",
    "layers": ("encoder_layers", "decoder_layers"),
    "heads": ("encoder_attention_heads", "decoder_attention_heads"),
    "inner": ("encoder_ffn_dim", "decoder_ffn_dim"), "dropout": ("dropout", "attention_dropout"),
}  # fmt: skip
_TIED = {"tie_word_embeddings": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The classes of a family, `names` of its sizes in its configuration, and settings that are `fixed`."""

    kind: Kind
    config: str
    model: str
    names: Names
    fixed: Mapping[str, Any] = field(default_factory=dict[str, Any])
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the model's class is given beside its configuration."""
    gated: bool = False
    """Whether its feed-forward block has three matrices, and so is narrower."""
    step: int = 1
    """What the width of a head is a multiple of: rotary positions turn pairs."""
    offset: int = 0
    """Positions that its configuration counts and no token can have."""

    def settings(self, size: Scratch, vocab: int) -> dict[str, Any]:
        """The configuration's arguments for a size."""
        # Two thirds of four times the width, as Llama has it, in steps of 32 that suit the matrix kernels.
        inner = -(-size.hidden * 8 // 3 // 32) * 32 if self.gated else size.hidden * 4
        sizes = {
            "vocab": vocab, "hidden": size.hidden, "layers": size.layers, "heads": size.heads, "inner": inner,
            "kv_heads": size.kv_heads or size.heads, "head": size.hidden // size.heads,
            "context": size.context + self.offset, "dropout": size.dropout,
        }  # fmt: skip
        found: dict[str, Any] = dict(self.fixed)
        for key, names in self.names.items():
            if sizes[key] is not None:
                found.update(dict.fromkeys((names,) if isinstance(names, str) else names, sizes[key]))
        return found


def _llama_like(name: str, **more: Any) -> Family:
    fixed = {**_TIED, **more.pop("fixed", {})}
    options = {"names": _GROUPED, "gated": True, "step": 2, **more}
    return Family(kind="decoder", config=f"{name}Config", model=f"{name}ForCausalLM", fixed=fixed, **options)


def _encoder(name: str, **more: Any) -> Family:
    return Family(kind="encoder", config=f"{name}Config", model=f"{name}Model", **{"names": _BERT, **more})


_HEAD: Names = {**_GROUPED, "head": "head_dim"}
_NO_POOLER = {"add_pooling_layer": False}

FAMILIES: Mapping[str, Family] = {
    "llama": _llama_like("Llama"),
    "qwen2": _llama_like("Qwen2"),
    "qwen3": _llama_like("Qwen3", names=_HEAD),
    "mistral": _llama_like("Mistral", fixed={"sliding_window": None}),
    "gemma": _llama_like("Gemma", names=_HEAD),
    # Half of each head is turned, so its width is a multiple of four.
    "phi": _llama_like("Phi", names=_PHI, gated=False, step=4, fixed={"partial_rotary_factor": 0.5}),
    "gpt2": Family(kind="decoder", config="GPT2Config", model="GPT2LMHeadModel", names=_GPT2),
    "bert": _encoder("Bert", options=_NO_POOLER),
    # Positions are counted from behind the padding's id.
    "roberta": _encoder("Roberta", options=_NO_POOLER, offset=2),
    "distilbert": _encoder("DistilBert", names=_DISTIL),
    "modernbert": _encoder("ModernBert", names=_MODERN, gated=True, step=2),
    "t5": Family(kind="encoder_decoder", config="T5Config", model="T5ForConditionalGeneration", names=_T5),
    "marian": Family(kind="encoder_decoder", config="MarianConfig", model="MarianMTModel", names=_PAIR),
    "bart": Family(
        kind="encoder_decoder", config="BartConfig", model="BartForConditionalGeneration", names=_PAIR
    ),
    "transformer_decoder": Family(
        kind="decoder", config="DecoderConfig", model="ReferenceForCausalLM", names=_REFERENCE, step=2
    ),
    "transformer_encoder": Family(
        kind="encoder", config="EncoderConfig", model="ReferenceEncoder", names=_REFERENCE
    ),
    "transformer": Family(
        kind="encoder_decoder", config="EncoderDecoderConfig", model="ReferenceForSeq2SeqLM", names=_REFERENCE
    ),
}

# Special tokens and bytes, which every tokenizer has; in WordPiece bytes begin a word or stand inside one.
_LEAST = {"bpe": 300, "bpe_fallback": 300, "unigram": 300, "characters": 300, "wordpiece": 600}


def problems(size: Made) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What is wrong with a size, all at once: codes (M15, R20, R21), the keys they are about, values."""
    if size.vocab < (least := _LEAST.get(size.tokenizer, 0)):
        yield "R21", "vocab", {"vocab": size.vocab, "tokenizer": size.tokenizer, "least": least}
    if not isinstance(size, Scratch):
        return
    family = FAMILIES[size.architecture]
    if size.hidden % (unit := size.heads * family.step):
        yield "M15", "heads", {"hidden": size.hidden, "heads": size.heads, "step": family.step, "unit": unit}
    if size.kv_heads is not None and ("kv_heads" not in family.names or size.heads % size.kv_heads):
        grouped = ", ".join(name for name, known in FAMILIES.items() if "kv_heads" in known.names)
        values = {"kv_heads": size.kv_heads, "heads": size.heads, "architecture": size.architecture}
        yield "R20", "kv_heads", {**values, "known": grouped}
