"""Decoders like GPT-2, written for training: no padding, and no more steps than the arithmetic needs.

It computes what `transformers` does, from the same parameters, which stay the model's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.pytorch_utils import Conv1D

from tunesmith.models.backbone import Head, Rows
from tunesmith.train.backbones.attention import attend
from tunesmith.train.backbones.fast import FastBackbone, Norm
from tunesmith.train.backbones.maps import Map, NotCoveredError
from tunesmith.train.backbones.packing import SHARED_FROM, Packed, pack

COVERED = ("gpt2",)

# The second and third are one function; in `transformers` the second takes eight passes over memory.
_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": functional.gelu,
    "gelu_new": partial(functional.gelu, approximate="tanh"),
    "gelu_pytorch_tanh": partial(functional.gelu, approximate="tanh"),
    "relu": functional.relu,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """The maps and norms of one layer."""

    before_attention: Norm
    heads_in: Map
    heads_out: Map
    before_mlp: Norm
    up: Map
    down: Map


class Gpt2Backbone(FastBackbone):
    """`module`: a causal language model of `transformers`; `dtype`: the numbers it computes in.

    Raises:
        NotCoveredError: when a part of the model is not computed here.
    """

    shares_from = SHARED_FROM

    def __init__(self, module: nn.Module, dtype: torch.dtype) -> None:
        model: Any = module
        config = model.config
        _see_that_it_is_covered(config)
        super().__init__(dtype)
        self._heads = config.n_head
        self._activation = _ACTIVATIONS[config.activation_function]
        inner = model.base_model
        self._words, self._places = (self._copy(table.weight) for table in (inner.wte, inner.wpe))
        self._layers = [self._layer(layer) for layer in inner.h]
        self._norm = self._layer_norm(inner.ln_f, inner.ln_f.eps)
        self._head = self._output_head(module)

    @property
    def head(self) -> Head:
        """The output head."""
        return self._head

    def hidden(self, rows: Rows, at: Tensor | None = None) -> Tensor:
        """The last hidden states of all tokens of the rows, or of those `at` some places."""
        packed = pack(rows, causal=True)
        x = functional.embedding(packed.ids, self._words)
        x = x + functional.embedding(packed.positions, self._places)
        x = self._through([partial(self._after, layer, packed) for layer in self._layers], x)
        return self._norm(x[packed.where if at is None else packed.where[at]])

    def _after(self, layer: _Layer, packed: Packed, x: Tensor) -> Tensor:
        """Hidden states [tokens, hidden] after one layer."""
        heads_in = layer.heads_in(layer.before_attention(x))
        width = x.shape[1] // self._heads
        query, key, value = heads_in.view(len(x), 3 * self._heads, width).chunk(3, dim=1)
        x = x + layer.heads_out(attend(query, key, value, packed.segments).flatten(1))
        return x + layer.down(self._activation(layer.up(layer.before_mlp(x))))

    def _layer(self, layer: Any) -> _Layer:
        attention, mlp = layer.attn, layer.mlp
        return _Layer(
            before_attention=self._layer_norm(layer.ln_1, layer.ln_1.eps),
            heads_in=self._map_of(attention.c_attn),
            heads_out=self._map_of(attention.c_proj),
            before_mlp=self._layer_norm(layer.ln_2, layer.ln_2.eps),
            up=self._map_of(mlp.c_fc),
            down=self._map_of(mlp.c_proj),
        )

    def _map_of(self, module: Any) -> Map:
        """A linear map; GPT-2 keeps its weight as [in, out]."""
        if type(module) is not Conv1D or module._forward_hooks or module._forward_pre_hooks:
            raise NotCoveredError(type(module).__name__)
        weight, bias = (self._copy(part) for part in (module.weight, module.bias))
        return lambda x: torch.addmm(bias, x, weight)


def _see_that_it_is_covered(config: Any) -> None:
    if config.model_type not in COVERED:
        raise NotCoveredError(f"model type {config.model_type}")
    if config.activation_function not in _ACTIVATIONS:
        raise NotCoveredError(f"activation {config.activation_function}")
    if any((config.resid_pdrop, config.embd_pdrop, config.attn_pdrop)):
        raise NotCoveredError("dropout")
    if config.add_cross_attention or config.scale_attn_by_inverse_layer_idx or not config.scale_attn_weights:
        raise NotCoveredError("attention of another kind")
