"""The Transformer, to be read from top to bottom (Vaswani et al. 2017, "Attention Is All You Need").

Every family of models that Tunesmith trains is a variation of what stands here: attention, blocks that add
what they compute to what they are given, an encoder that reads, a decoder that writes token after token, and
an encoder-decoder whose decoder also looks at what the encoder has read. Blocks normalise first ("pre-norm",
Xiong et al. 2020), which trains without tricks.

Shapes: b sequences, t tokens, s tokens of the source, d the width, h heads of d/h each, v the vocabulary.
Masks are boolean: True where a query may look at a key.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a model is; `context` is its longest sequence. Positions are learned, or sinusoids."""

    vocab: int
    width: int
    heads: int
    layers: int
    context: int
    dropout: float = 0.1
    learned_positions: bool = False


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """softmax(QK^T / sqrt(d_k)) V: for each query the mean of the values, weighted by how well keys match.

    query [..., t, d_k], key [..., s, d_k], value [..., s, d_v], mask broadcastable to [..., t, s] with at
    least one True for each query -> output [..., t, d_v] and weights [..., t, s], whose rows sum to 1.
    """
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])  # [..., t, s]
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(dim=-1)
    return weights @ value, weights


class MultiHeadAttention(nn.Module):
    """Attention in h parts of the width at once, each with its own view of queries, keys and values.

    While `watched`, the weights of the last call are kept in `weights` [b, h, t, s].
    """

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.heads = size.heads
        self.dropout = size.dropout
        self.query = nn.Linear(size.width, size.width)
        self.key = nn.Linear(size.width, size.width)
        self.value = nn.Linear(size.width, size.width)
        self.output = nn.Linear(size.width, size.width)
        self.watched = False
        self.weights: Tensor | None = None

    def forward(self, x: Tensor, source: Tensor, mask: Tensor | None = None) -> Tensor:
        """Queries from x [b, t, d], keys and values from source [b, s, d] -> [b, t, d]."""
        query, key, value = (
            self._split(states) for states in (self.query(x), self.key(source), self.value(source))
        )
        if self.watched:
            mixed, self.weights = attention(query, key, value, mask)
        else:
            # The same mathematics in one fused kernel, which never holds all weights at once.
            dropout = self.dropout if self.training else 0.0
            mixed = functional.scaled_dot_product_attention(query, key, value, mask, dropout)
        output: Tensor = self.output(mixed.transpose(1, 2).flatten(2))
        return output

    def _split(self, states: Tensor) -> Tensor:
        """[b, t, d] -> [b, h, t, d/h]."""
        batch, tokens, width = states.shape
        return states.view(batch, tokens, self.heads, width // self.heads).transpose(1, 2)


class Block(nn.Module):
    """Look around in the own sequence, look at the source if there is one, think about each token."""

    def __init__(self, size: Size, *, crosses: bool) -> None:
        super().__init__()
        self.self_attention = MultiHeadAttention(size)
        self.self_norm = nn.LayerNorm(size.width)
        self.cross_attention = MultiHeadAttention(size) if crosses else None
        self.cross_norm = nn.LayerNorm(size.width) if crosses else None
        self.feed_forward = nn.Sequential(
            nn.Linear(size.width, 4 * size.width),
            nn.GELU(),
            nn.Dropout(size.dropout),
            nn.Linear(4 * size.width, size.width),
        )
        self.feed_norm = nn.LayerNorm(size.width)
        self.dropout = nn.Dropout(size.dropout)

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        source: Tensor | None = None,
        source_mask: Tensor | None = None,
    ) -> Tensor:
        """From x [b, t, d] and source [b, s, d] to [b, t, d]; masks [b, h, t, t] and [b, h, t, s]."""
        states = self.self_norm(x)
        x = x + self.dropout(self.self_attention(states, states, mask))
        if self.cross_attention is not None and self.cross_norm is not None and source is not None:
            x = x + self.dropout(self.cross_attention(self.cross_norm(x), source, source_mask))
        changed: Tensor = x + self.dropout(self.feed_forward(self.feed_norm(x)))
        return changed


def sinusoids(tokens: int, width: int) -> Tensor:
    """Waves of geometrically growing length that tell positions apart: [tokens, width]."""
    position = torch.arange(tokens)[:, None]
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))  # [width / 2]
    angle = position * rate
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)[:, :width]


class Embedding(nn.Module):
    """Token ids to vectors, to which those of their positions are added; the same table gives logits."""

    positions: Tensor  # [context, d]

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.scale = math.sqrt(size.width)
        self.tokens = nn.Embedding(size.vocab, size.width)
        nn.init.normal_(self.tokens.weight, std=1 / self.scale)
        positions = sinusoids(size.context, size.width)
        if size.learned_positions:
            self.positions = nn.Parameter(positions)
        else:
            self.register_buffer("positions", positions)
        self.dropout = nn.Dropout(size.dropout)

    def forward(self, ids: Tensor) -> Tensor:
        """[b, t] -> [b, t, d]."""
        embedded: Tensor = self.dropout(self.tokens(ids) * self.scale + self.positions[: ids.shape[1]])
        return embedded

    def logits(self, states: Tensor) -> Tensor:
        """[b, t, d] -> [b, t, v]: how well each token of the vocabulary would fit."""
        return functional.linear(states, self.tokens.weight)


class Stack(nn.Module):
    """Blocks on top of each other, and a last normalisation."""

    def __init__(self, size: Size, *, crosses: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(size, crosses=crosses) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.width)

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        source: Tensor | None = None,
        source_mask: Tensor | None = None,
    ) -> Tensor:
        """As a block."""
        for block in self.blocks:
            x = block(x, mask, source, source_mask)
        normed: Tensor = self.norm(x)
        return normed


def causal(tokens: int) -> Tensor:
    """[t, t]: every token sees itself and those before it."""
    return torch.ones(tokens, tokens, dtype=torch.bool).tril()


def keys(mask: Tensor | None) -> Tensor | None:
    """A mask of real tokens [b, s] as one of keys [b, 1, 1, s], the same for all heads and queries."""
    return None if mask is None else mask.bool()[:, None, None, :]


class Encoder(nn.Module):
    """Reads: every token sees all tokens that are no padding."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.embedding = Embedding(size)
        self.stack = Stack(size, crosses=False)

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Hidden states [b, t, d] of ids [b, t]; mask [b, t] is 1 on real tokens."""
        states: Tensor = self.stack(self.embedding(ids), keys(mask))
        return states


class Decoder(nn.Module):
    """Writes: every token sees itself and those before it."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.embedding = Embedding(size)
        self.stack = Stack(size, crosses=False)

    def read(self, ids: Tensor) -> Tensor:
        """Hidden states [b, t, d] of ids [b, t]."""
        states: Tensor = self.stack(self.embedding(ids), causal(ids.shape[1]).to(ids.device))
        return states

    def forward(self, ids: Tensor) -> Tensor:
        """Logits [b, t, v] of what comes after each of ids [b, t]."""
        return self.embedding.logits(self.read(ids))


class EncoderDecoder(nn.Module):
    """Reads one sequence and writes another, as for translation; one vocabulary and one table for both."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.embedding = Embedding(size)
        self.encoder = Stack(size, crosses=False)
        self.decoder = Stack(size, crosses=True)

    def read(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Hidden states [b, s, d] of the source's ids [b, s]; mask [b, s] is 1 on real tokens."""
        states: Tensor = self.encoder(self.embedding(ids), keys(mask))
        return states

    def write(self, ids: Tensor, source: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits [b, t, v] of what comes after each of ids [b, t], given what was read of the source."""
        own = causal(ids.shape[1]).to(ids.device)
        states = self.decoder(self.embedding(ids), own, source, keys(mask))
        return self.embedding.logits(states)

    def forward(self, source: Tensor, target: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits [b, t, v] of what comes after each token of target [b, t]; source, mask [b, s]."""
        return self.write(target, self.read(source, mask), mask)
