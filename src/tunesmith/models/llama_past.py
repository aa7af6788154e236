"""Keys and values of decoders like Llama, and the pass that uses them: a few operations for each layer.

It computes what `transformers` does, with the maps of the model itself, whatever they are: plain, quantised
or with an adapter. What it leaves out is the work around them, which takes longer than the maps in a small
model, and copying all keys and values for every token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tunesmith.models.bank import Bank, Given
from tunesmith.models.prefixes import Prefixes
from tunesmith.models.slabs import Prefix, Shape, Slab, Slabs

COVERED = ("llama", "mistral", "qwen2", "qwen3")
"""Model types whose layers differ in biases and in norms of heads only."""

# Angles of these do not depend on how long the sequence is.
_ROPES = ("default", "linear", "llama3", "yarn")

Attend = Callable[[int, Tensor, Tensor, Tensor], Tensor]


def uncovered(config: Any) -> str | None:
    """Which part of a model is not computed here, if there is one."""
    if config.model_type not in COVERED:
        return f"model type {config.model_type}"
    if config.hidden_act not in ("silu", "swish"):
        return f"activation {config.hidden_act}"
    if getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True):
        return "sliding windows"
    return None


def covers(module: nn.Module) -> bool:
    """Whether a model is one of `transformers` that is computed here."""
    config: Any = module.config
    known = type(module).__module__.startswith("transformers.models.")
    added = {name for name, _ in module.named_children()} != {"model", "lm_head"}
    if not known or added or uncovered(config) is not None:
        return False
    rope = getattr(config, "rope_parameters", None) or {}
    return rope.get("rope_type", "default") in _ROPES


@dataclass(frozen=True, slots=True)
class _Part:
    """Tokens `start` to `end` of a pass, of one prompt or of all rows of a slab, and how they attend."""

    start: int
    end: int
    attend: Attend


class LlamaPast:
    """The past of a batch, see `past.Past`. `module`: a model that is covered.

    In `remembered` bytes, beginnings of sequences are kept for others that begin so, with the same adapter.
    """

    def __init__(self, module: nn.Module, remembered: int = 0, bank: Bank | None = None) -> None:
        model: Any = module
        config = model.config
        self._inner: Any = model.base_model
        self._output = model.lm_head
        self._heads: int = config.num_attention_heads
        self._kv_heads: int = config.num_key_value_heads
        self._size: int = getattr(config, "head_dim", None) or config.hidden_size // self._heads
        weight: Tensor = self._inner.embed_tokens.weight
        self._shape = Shape(
            layers=len(self._inner.layers),
            heads=self._kv_heads,
            size=self._size,
            dtype=weight.dtype,
            device=weight.device,
        )
        self._prefixes: dict[int, Prefix] = {}
        self._slabs = Slabs(self._shape)
        self.known = Prefixes(remembered)
        self._given = Given(bank)
        self._ids: dict[int, list[int]] = {}  # what was read of each sequence, if beginnings are kept

    def begin(self, sequence: int, ids: Sequence[int], adapter: str | None = None) -> int:
        """See `Past.begin`."""
        self._given.note(sequence, adapter)
        prefix = self._prefixes[sequence] = Prefix(self._shape)
        if not self.known.room:
            return 0
        self._ids[sequence] = list(ids)
        if found := self.known.longest(ids, self._given.number(sequence)):
            store, length = found
            prefix.reserve(len(ids))
            prefix.store[:, :, :length] = store[:, :, :length]
            prefix.length = length
        return prefix.length

    def read(self, reads: Sequence[tuple[int, Sequence[int]]]) -> Tensor:
        """See `Past.read`."""
        parts: list[_Part] = []
        positions: list[int] = []
        for sequence, ids in reads:
            prefix = self._prefixes[sequence]
            prefix.reserve(prefix.length + len(ids))
            end = len(positions) + len(ids)
            parts.append(_Part(len(positions), end, self._within(prefix, len(ids))))
            positions += range(prefix.length, prefix.length + len(ids))
        tokens = [token for _, ids in reads for token in ids]
        with self._given.over(sequence for sequence, ids in reads for _ in ids):
            logits = self._logits(tokens, positions, parts, last=[part.end - 1 for part in parts])
        for sequence, ids in reads:
            self._prefixes[sequence].length += len(ids)
        return logits

    def join(self, sequence: int) -> None:
        """See `Past.join`."""
        prefix = self._prefixes.pop(sequence)
        self._slabs.add(sequence, prefix.store, prefix.length)
        if self.known.room:
            self.known.keep(self._ids[sequence], prefix.store, self._given.number(sequence))

    def forward(self, tokens: Mapping[int, int]) -> Tensor:
        """See `Past.forward`."""
        self._slabs.make_room()
        slabs = list(self._slabs)
        order = [sequence for slab in slabs for sequence in slab.sequences]
        parts: list[_Part] = []
        for slab in slabs:
            start = parts[-1].end if parts else 0
            parts.append(_Part(start, start + len(slab.sequences), self._beside(slab)))
        positions = [length for slab in slabs for length in slab.lengths]
        with self._given.over(order):
            logits = self._logits([tokens[sequence] for sequence in order], positions, parts, last=None)
        for slab in slabs:
            slab.lengths[:] = [length + 1 for length in slab.lengths]
        if self.known.room:
            for sequence, token in tokens.items():
                self._ids[sequence].append(token)
        place = {sequence: row for row, sequence in enumerate(order)}
        return logits[[place[sequence] for sequence in tokens]]

    def drop(self, sequence: int) -> None:
        """See `Past.drop`."""
        ids, adapter = self._ids.pop(sequence, []), self._given.number(sequence)
        self._given.forget(sequence)
        if self._prefixes.pop(sequence, None) is not None:
            return
        if self.known.room:
            self.known.keep(ids, self._slabs.taken(sequence), adapter)
        self._slabs.drop(sequence)

    def _logits(
        self, tokens: list[int], positions: list[int], parts: list[_Part], last: list[int] | None
    ) -> Tensor:
        """What follows each token, or each of the `last` ones: [tokens, vocabulary]."""
        x = self._inner.embed_tokens(torch.tensor(tokens, device=self._shape.device))
        at = torch.tensor([positions], device=self._shape.device)
        cos, sin = (part[0, :, None] for part in self._inner.rotary_emb(x, at))
        # Half of each head is turned into the other: signs go with the sines.
        sin = torch.cat([-sin[..., : self._size // 2], sin[..., self._size // 2 :]], dim=-1)
        for number, layer in enumerate(self._inner.layers):
            x = self._after(number, layer, x, cos, sin, parts)
        if last is not None:
            x = x[last]
        logits: Tensor = self._output(_normed(self._inner.norm, x))
        return logits

    def _after(
        self, number: int, layer: Any, x: Tensor, cos: Tensor, sin: Tensor, parts: Sequence[_Part]
    ) -> Tensor:
        """Hidden states [tokens, hidden] after one layer."""
        attention, mlp = layer.self_attn, layer.mlp
        seen = _normed(layer.input_layernorm, x)
        query = attention.q_proj(seen).view(len(x), self._heads, self._size)
        key = attention.k_proj(seen).view(len(x), self._kv_heads, self._size)
        value = attention.v_proj(seen).view(len(x), self._kv_heads, self._size)
        if getattr(attention, "q_norm", None) is not None:
            query, key = _normed(attention.q_norm, query), _normed(attention.k_norm, key)
        query, key = _turned(torch.cat([query, key], dim=1), cos, sin).split(
            [self._heads, self._kv_heads], dim=1
        )
        mixed = [
            part.attend(
                number, query[part.start : part.end], key[part.start : part.end], value[part.start : part.end]
            )
            for part in parts
        ]
        x = x + attention.o_proj(mixed[0] if len(mixed) == 1 else torch.cat(mixed))
        seen = _normed(layer.post_attention_layernorm, x)
        gated = functional.silu(mlp.gate_proj(seen), inplace=True).mul_(mlp.up_proj(seen))
        out: Tensor = x + mlp.down_proj(gated)
        return out

    def _within(self, prefix: Prefix, new: int) -> Attend:
        """How new tokens attend to a prompt's tokens up to themselves."""
        before, end = prefix.length, prefix.length + new
        mask = None
        if before and new > 1:
            mask = torch.ones(new, end, dtype=torch.bool, device=self._shape.device).tril(before)

        def attend(layer: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
            prefix.store[layer, 0, before:end] = key
            prefix.store[layer, 1, before:end] = value
            keys, values = prefix.store[layer, :, None, :end].transpose(2, 3)
            mixed = functional.scaled_dot_product_attention(
                query.transpose(0, 1)[None],
                keys,
                values,
                attn_mask=mask,
                is_causal=mask is None and new > 1,
                enable_gqa=self._heads != self._kv_heads,
            )
            return mixed[0].transpose(0, 1).reshape(new, -1)

        return attend

    def _beside(self, slab: Slab) -> Attend:
        """How one new token of each row attends to its row."""
        rows, longest = len(slab.lengths), max(slab.lengths) + 1
        lengths = torch.tensor(slab.lengths, device=self._shape.device)
        places = torch.arange(rows, device=self._shape.device) * slab.width + lengths
        mask = None
        if min(slab.lengths) + 1 < longest:
            hidden = torch.arange(longest, device=self._shape.device) > lengths[:, None]
            mask = torch.zeros(hidden.shape, dtype=self._shape.dtype, device=self._shape.device)
            mask = mask.masked_fill_(hidden, -torch.inf)[:, None, None]

        def attend(layer: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
            for kind, new in enumerate((key, value)):
                slab.store[layer, kind].view(-1, self._kv_heads, self._size).index_copy_(0, places, new)
            keys, values = slab.store[layer, :, :rows, :longest].transpose(2, 3)
            # Heads that share keys are like several tokens that ask.
            grouped = query.reshape(rows, self._kv_heads, -1, self._size)
            mixed = functional.scaled_dot_product_attention(grouped, keys, values, attn_mask=mask)
            return mixed.reshape(rows, -1)

        return attend


def _normed(norm: Any, x: Tensor) -> Tensor:
    return functional.rms_norm(x, norm.weight.shape, norm.weight, norm.variance_epsilon)


def _turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Heads [tokens, heads, size] at their positions."""
    return torch.addcmul(x * cos, x.roll(x.shape[-1] // 2, -1), sin)
