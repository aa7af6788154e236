"""The sizes of a transformer: read from a catalogue entry or a config.json, counted without any weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Families whose feed-forward block multiplies two projections (SwiGLU, GeGLU), and so has three matrices.
_GATED = {
    "gemma", "gemma2", "gemma3", "gemma3_text", "llama", "mistral", "modernbert", "mt5", "phi3", "qwen2",
    "qwen3", "smollm3", "umt5",
}  # fmt: skip
# Families whose output head has weights of its own unless config.json says otherwise.
_UNTIED = {"llama", "mistral", "mt5", "phi", "phi3", "qwen2", "qwen3", "umt5"}
# What families call the same thing.
_NAMES = {
    "layers": ("num_hidden_layers", "n_layer", "n_layers", "encoder_layers", "num_layers", "layers"),
    "hidden": ("hidden_size", "n_embd", "d_model", "dim", "hidden"),
    "heads": ("num_attention_heads", "n_head", "n_heads", "encoder_attention_heads", "num_heads", "heads"),
    "intermediate": ("intermediate_size", "n_inner", "encoder_ffn_dim", "d_ff", "hidden_dim", "inner"),
}
# Positions of these are computed (rotary or relative), those of the others are learned.
_LEARNED = {"bart", "bert", "distilbert", "gpt2", "roberta", "xlm-roberta"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Sizes of a transformer; `decoder_layers` is 0 unless it is an encoder-decoder.

    `layers` are the encoder's where there are two stacks; `positions` counts learned position vectors.
    """

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocab: int
    positions: int = 0
    decoder_layers: int = 0
    tied: bool = True
    gated: bool = False

    @property
    def attention(self) -> int:
        """Weights of one attention: queries, keys, values, output."""
        return self.hidden * self.head_dim * 2 * (self.heads + self.kv_heads)

    @property
    def feed_forward(self) -> int:
        """Weights of one feed-forward block."""
        return self.hidden * self.intermediate * (3 if self.gated else 2)

    @property
    def blocks(self) -> int:
        """Weights of all blocks; a decoder's block beside an encoder attends twice."""
        own = self.attention + self.feed_forward
        return self.layers * own + self.decoder_layers * (own + self.attention)

    @property
    def embeddings(self) -> int:
        """Weights of token and position vectors, and of the output head where it has its own."""
        return self.hidden * (self.vocab * (1 if self.tied else 2) + self.positions)

    @property
    def parameters(self) -> int:
        """All weights; biases and norms, less than a hundredth, are left out."""
        return self.blocks + self.embeddings


def of_config(config: Mapping[str, Any]) -> Shape | None:
    """The shape that a config.json states, or None when it states none that is known here."""
    text = config.get("text_config") or config
    sizes = {key: _first(text, names) for key, names in _NAMES.items()}
    layers, hidden, heads, vocab = sizes["layers"], sizes["hidden"], sizes["heads"], text.get("vocab_size")
    if not (layers and hidden and heads and vocab):
        return None
    family = str(text.get("model_type", ""))
    is_pair = bool(config.get("is_encoder_decoder"))
    return Shape(
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=text.get("num_key_value_heads") or heads,
        head_dim=text.get("head_dim") or text.get("d_kv") or hidden // heads,
        intermediate=sizes["intermediate"] or 4 * hidden,
        vocab=vocab,
        positions=(2 if is_pair else 1) * _positions(text) if family in _LEARNED else 0,
        decoder_layers=_first(text, ("decoder_layers", "num_decoder_layers")) or layers if is_pair else 0,
        tied=bool(text.get("tie_word_embeddings", family not in _UNTIED)),
        gated=family in _GATED or str(text.get("feed_forward_proj", "")).startswith("gated"),
    )


def _positions(text: Mapping[str, Any]) -> int:
    return _first(text, ("max_position_embeddings", "n_positions")) or 0


def _first(values: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    """The first of some sizes that is stated as a positive number."""
    return next((v for name in names if isinstance(v := values.get(name), int) and v > 0), None)
