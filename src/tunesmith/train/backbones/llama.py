"""Decoders like Llama, written for training: no padding, merged products, gradients by hand.

It computes what `transformers` does for the families of `COVERED`, from the same parameters, which stay the
model's own: only how they are multiplied is different. Rows that begin alike share that beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tunesmith.models import device
from tunesmith.models.backbone import Head, Rows
from tunesmith.models.llama_past import uncovered
from tunesmith.train.backbones import spans
from tunesmith.train.backbones.attention import attend
from tunesmith.train.backbones.fast import FastBackbone, Norm
from tunesmith.train.backbones.functions import gated_silu, rms_norm, rotate
from tunesmith.train.backbones.maps import Map, NotCoveredError, merged
from tunesmith.train.backbones.memory import Memory
from tunesmith.train.backbones.packing import SHARED_FROM, Packed, pack


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """The maps and norms of one layer."""

    before_attention: Norm
    heads_in: Map
    query_norm: Norm | None
    key_norm: Norm | None
    heads_out: Map
    before_mlp: Norm
    gate_and_up: Map
    down: Map


class LlamaBackbone(FastBackbone):
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
        self._inner: Any = model.base_model
        self._heads = config.num_attention_heads
        self._kv_heads = config.num_key_value_heads
        self._width = getattr(config, "head_dim", None) or config.hidden_size // self._heads
        if device.is_graphics() and not spans.covers(dtype, self._width):
            raise NotCoveredError(f"heads of width {self._width} in {dtype} on a graphics processor")
        self._embedding = self._copy(self._inner.embed_tokens.weight)
        self._layers = [self._layer(layer) for layer in self._inner.layers]
        self._norm = self._norm_of(self._inner.norm)
        self._head = self._output_head(module)
        self._frozen = _frozen_layers(self._inner)
        self._memory = Memory(self._after_frozen) if self._frozen else None

    @property
    def head(self) -> Head:
        """The output head."""
        return self._head

    def hidden(self, rows: Rows, at: Tensor | None = None) -> Tensor:
        """The last hidden states of all tokens of the rows, or of those `at` some places."""
        packed = pack(rows, causal=True)
        if self._memory is None:
            x = functional.embedding(packed.ids, self._embedding)
        else:
            x = self._memory.of(rows)[packed.whence]
        x = self._from_to(self._frozen, len(self._layers), packed, x)
        return self._norm(x[packed.where if at is None else packed.where[at]])

    def remember(self, tokens: int, at_most: int) -> int:
        """Hidden states of rows before the first layer that learns."""
        if self._memory is None:
            return 0
        memory, token = self._memory, self._embedding.shape[1] * self._embedding.itemsize
        memory.limit = min(memory.limit, at_most)
        return max(0, min(memory.limit, tokens * token) - memory.bytes)

    def _after_frozen(self, row: NDArray[Any]) -> Tensor:
        """The hidden states of one row before the first layer that learns."""
        packed = pack([row], causal=True)
        x = functional.embedding(packed.ids, self._embedding)
        return self._from_to(0, self._frozen, packed, x)

    def _from_to(self, first: int, end: int, packed: Packed, x: Tensor) -> Tensor:
        turns = self._turns(packed)
        return self._through(
            [partial(self._after, layer, packed, turns) for layer in self._layers[first:end]], x
        )

    def _after(self, layer: _Layer, packed: Packed, turns: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Hidden states [tokens, hidden] after one layer."""
        x = x + layer.heads_out(self._attended(layer, layer.before_attention(x), packed, turns))
        return x + layer.down(gated_silu(layer.gate_and_up(layer.before_mlp(x))))

    def _attended(self, layer: _Layer, x: Tensor, packed: Packed, turns: tuple[Tensor, Tensor]) -> Tensor:
        both = self._heads + self._kv_heads
        merged = layer.heads_in(x).view(len(x), both + self._kv_heads, self._width)
        turned, value = merged[:, :both], merged[:, both:]
        if layer.query_norm is not None and layer.key_norm is not None:
            query, key = turned.split([self._heads, self._kv_heads], dim=1)
            turned = torch.cat([layer.query_norm(query), layer.key_norm(key)], dim=1)
        turned = rotate(turned, *turns)
        query, key = turned.split([self._heads, self._kv_heads], dim=1)
        return attend(query, key, value, packed.segments).flatten(1)

    def _turns(self, packed: Packed) -> tuple[Tensor, Tensor]:
        """Cosine and sine [tokens, 1, d/2] of each token's position, as the model scales them."""
        like = torch.empty(0, dtype=torch.float32)
        found = self._inner.rotary_emb(like, packed.positions[None])
        cos, sin = (part[0, :, None, : self._width // 2].to(self._dtype) for part in found)
        return cos, sin

    def _layer(self, layer: Any) -> _Layer:
        attention, mlp = layer.self_attn, layer.mlp
        norms = [getattr(attention, name, None) for name in ("q_norm", "k_norm")]
        query_norm, key_norm = (None if norm is None else self._norm_of(norm) for norm in norms)
        return _Layer(
            before_attention=self._norm_of(layer.input_layernorm),
            heads_in=self._merged(attention.q_proj, attention.k_proj, attention.v_proj),
            query_norm=query_norm,
            key_norm=key_norm,
            heads_out=self._merged(attention.o_proj),
            before_mlp=self._norm_of(layer.post_attention_layernorm),
            gate_and_up=self._merged(mlp.gate_proj, mlp.up_proj),
            down=self._merged(mlp.down_proj),
        )

    def _merged(self, *modules: nn.Module) -> Map:
        return merged(modules, self._copies)

    def _norm_of(self, module: Any) -> Norm:
        weight = self._copy(module.weight)
        eps = float(module.variance_epsilon)
        return lambda x: rms_norm(x, weight, eps)


def _frozen_layers(inner: Any) -> int:
    """How many of the first layers compute the same whatever is learned."""
    if inner.embed_tokens.weight.requires_grad:
        return 0
    learning = [any(p.requires_grad for p in layer.parameters()) for layer in inner.layers]
    return learning.index(True) if True in learning else len(learning)


def _see_that_it_is_covered(config: Any) -> None:
    missing = uncovered(config)
    if missing is None and getattr(config, "attention_dropout", 0) > 0:
        missing = "dropout of attention"
    if missing is not None:
        raise NotCoveredError(missing)
