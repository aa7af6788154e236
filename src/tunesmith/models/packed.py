"""Encoders like BERT over texts laid one after another: nothing is computed for padding.

The maps are those of the module itself, whatever they are, so what is learned or adapted shows at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tunesmith.models import device

Row = Sequence[int] | NDArray[np.integer[Any]]
Run = tuple[int, int, int]  # tokens [start, end) of texts that have so many tokens each


def covers(encoder: nn.Module) -> bool:
    """Whether an encoder is computed here: a BERT of `transformers` alone, in eval mode, on a processor."""
    model: Any = encoder
    return (
        type(encoder).__module__ == "transformers.models.bert.modeling_bert"
        and type(encoder).__name__ == "BertModel"
        and not encoder.training
        and {name for name, _ in encoder.named_children()} <= {"embeddings", "encoder", "pooler"}
        and not model.config.is_decoder
        and getattr(model.config, "position_embedding_type", None) in (None, "absolute")
        and model.device.type == "cpu"
    )


def hidden(encoder: nn.Module, rows: Sequence[Row]) -> Tensor:
    """Hidden states of all tokens of token ids, one row after the other: [tokens of all rows, d]."""
    model: Any = encoder
    lengths = [len(row) for row in rows]
    ids = device.tensor(np.concatenate([np.asarray(row, dtype=np.int64) for row in rows]))
    places = device.tensor(np.concatenate([np.arange(length) for length in lengths]))
    words, positions = model.embeddings.word_embeddings(ids), model.embeddings.position_embeddings(places)
    states: Tensor = model.embeddings.LayerNorm(
        words + model.embeddings.token_type_embeddings.weight[0] + positions
    )
    runs = list(_runs(lengths))
    for layer in model.encoder.layer:
        states = _after(layer, states, runs)
    return states


def _runs(lengths: Sequence[int]) -> Iterator[Run]:
    """Neighbours of the same length, which attend in one product."""
    start = 0
    for length, same in groupby(lengths):
        end = start + length * len(list(same))
        yield start, end, length
        start = end


def _after(layer: Any, states: Tensor, runs: Sequence[Run]) -> Tensor:
    """Hidden states [tokens, d] after one layer."""
    own, out = layer.attention.self, layer.attention.output
    heads = [
        part.view(len(states), own.num_attention_heads, own.attention_head_size)
        for part in (own.query(states), own.key(states), own.value(states))
    ]
    mixed = torch.cat([_mixed([part[start:end] for part in heads], length) for start, end, length in runs])
    states = out.LayerNorm(out.dense(mixed) + states)
    inner = layer.intermediate.intermediate_act_fn(layer.intermediate.dense(states))
    result: Tensor = layer.output.LayerNorm(layer.output.dense(inner) + states)
    return result


def _mixed(heads: Sequence[Tensor], length: int) -> Tensor:
    """What texts of one length see of themselves: heads [tokens, heads, size] each -> [tokens, d]."""
    query, key, value = (part.unflatten(0, (-1, length)).transpose(1, 2) for part in heads)
    seen = functional.scaled_dot_product_attention(query, key, value)
    return seen.transpose(1, 2).flatten(0, 1).flatten(1)
