"""Encoders like BERT, written for training: no padding, merged products, cheap dropout.

It computes what `transformers` does for the families of `COVERED`, from the same parameters, which stay the
model's own. Dropout has the model's probabilities and masks of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.activations import ACT2FN

from tunesmith.models.backbone import Head, Rows
from tunesmith.train.backbones.attention import attend
from tunesmith.train.backbones.dropout import Dropout
from tunesmith.train.backbones.fast import FastBackbone, Norm
from tunesmith.train.backbones.maps import Map, NotCoveredError, merged
from tunesmith.train.backbones.packing import Packed, pack

COVERED = ("bert", "roberta", "xlm-roberta", "camembert")
"""Model types that differ in how they count positions only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """The maps and norms of one layer."""

    heads_in: Map
    heads_out: Map
    after_attention: Norm
    up: Map
    down: Map
    after_mlp: Norm


@dataclass(frozen=True, slots=True)
class _Drops:
    """Dropout of hidden states and of attention in one layer; nothing outside of training."""

    hidden: Callable[[Tensor], Tensor]
    attention: Dropout | None


class BertBackbone(FastBackbone):
    """`module`: an encoder of `transformers`; `dtype`: the numbers it computes in.

    Raises:
        NotCoveredError: when a part of the model is not computed here.
    """

    def __init__(self, module: nn.Module, dtype: torch.dtype) -> None:
        model: Any = module
        config = model.config
        _see_that_it_is_covered(config)
        super().__init__(dtype)
        self._module = module
        self._heads = config.num_attention_heads
        self._eps = float(config.layer_norm_eps)
        self._activation = ACT2FN[config.hidden_act]
        self._chances = config.hidden_dropout_prob, config.attention_probs_dropout_prob
        embeddings = model.embeddings
        # Families after RoBERTa count positions from behind the padding's id.
        self._offset = 0 if config.model_type == "bert" else int(embeddings.padding_idx) + 1
        tables = (
            embeddings.word_embeddings,
            embeddings.position_embeddings,
            embeddings.token_type_embeddings,
        )
        self._words, self._places, self._types = (self._copy(table.weight) for table in tables)
        self._norm = self._layer_norm(embeddings.LayerNorm, self._eps)
        self._layers = [self._layer(layer) for layer in model.encoder.layer]

    @property
    def head(self) -> Head:
        """An encoder has none.

        Raises:
            TypeError: always.
        """
        raise TypeError("an encoder has no output head")

    def hidden(self, rows: Rows, at: Tensor | None = None) -> Tensor:
        """The last hidden states of all tokens of the rows, or of those `at` some places."""
        packed = pack(rows, causal=False)
        # Drawn from the stream of the step, so that a step repeated draws the same masks.
        seed = int(torch.randint(2**62, ())) if self._module.training and any(self._chances) else None
        x = functional.embedding(packed.ids, self._words) + self._types[0]
        x = x + functional.embedding(packed.positions + self._offset, self._places)
        x = self._drops(seed, 0).hidden(self._norm(x))
        layers = [partial(self._after, layer, packed, seed, i) for i, layer in enumerate(self._layers, 1)]
        x = self._through(layers, x)
        return x if at is None else x[at]

    def _after(self, layer: _Layer, packed: Packed, seed: int | None, number: int, x: Tensor) -> Tensor:
        """Hidden states after the layer of a `number`; computed again it draws the same masks."""
        drops = self._drops(seed, number)
        width = x.shape[1] // self._heads
        query, key, value = layer.heads_in(x).view(len(x), 3 * self._heads, width).chunk(3, dim=1)
        attended = attend(query, key, value, packed.segments, drops.attention).flatten(1)
        x = layer.after_attention(x + drops.hidden(layer.heads_out(attended)))
        inner = self._activation(layer.up(x))
        return layer.after_mlp(x + drops.hidden(layer.down(inner)))

    def _drops(self, seed: int | None, number: int) -> _Drops:
        if seed is None:
            return _Drops(lambda x: x, None)
        hidden, attention = (Dropout(chance, (seed, number, i)) for i, chance in enumerate(self._chances))
        return _Drops(hidden, attention if self._chances[1] else None)

    def _layer(self, layer: Any) -> _Layer:
        attention = layer.attention
        inner = attention.self
        return _Layer(
            heads_in=self._merged(inner.query, inner.key, inner.value),
            heads_out=self._merged(attention.output.dense),
            after_attention=self._layer_norm(attention.output.LayerNorm, self._eps),
            up=self._merged(layer.intermediate.dense),
            down=self._merged(layer.output.dense),
            after_mlp=self._layer_norm(layer.output.LayerNorm, self._eps),
        )

    def _merged(self, *modules: nn.Module) -> Map:
        return merged(modules, self._copies)


def _see_that_it_is_covered(config: Any) -> None:
    if config.model_type not in COVERED:
        raise NotCoveredError(f"model type {config.model_type}")
    if config.is_decoder or getattr(config, "add_cross_attention", False):
        raise NotCoveredError("an encoder used as a decoder")
    if getattr(config, "position_embedding_type", None) not in (None, "absolute"):
        raise NotCoveredError("relative positions")
