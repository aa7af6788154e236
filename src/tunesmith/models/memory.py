"""How much memory a model of some shape needs, in bytes, before it is here: for serving and for training.

What is reckoned is what the process takes beyond the libraries it has loaded. Weights, gradients and the two
moments of Adam are float32, as everything here is trained and served. `workflow/estimate.py` measures a plan
whose model is here; this only counts. benchmarks/memory_estimate.py holds it to measurement.
"""

from __future__ import annotations

from typing import Literal

from tunesmith.models.card import Kind
from tunesmith.models.shapes import Shape

_FLOAT = 4
Method = Literal["full", "lora"]

LIBRARIES = 600 * 2**20
"""What Python, torch and transformers take before there is a model."""


def weights(shape: Shape) -> int:
    """Bytes of all weights."""
    return _FLOAT * shape.parameters


def cache(shape: Shape, *, context: int, batch: int = 1) -> int:
    """Bytes of keys and values of `batch` sequences of `context` tokens.

    A decoder beside an encoder keeps them of its own tokens and of the encoder's.
    """
    layers = 2 * shape.decoder_layers or shape.layers
    return _FLOAT * 2 * layers * shape.kv_heads * shape.head_dim * context * batch


def serving(shape: Shape, kind: Kind, *, context: int, batch: int = 1) -> int:
    """Bytes for answering `batch` requests of `context` tokens at once."""
    # Reading a text holds the values of one block; an encoder reads all texts at once, a decoder one by one.
    read = context * (1 if kind == "language" else batch)
    block = 6 * shape.hidden + 3 * shape.intermediate + 4 * shape.heads * shape.head_dim
    kept = 0 if kind in ("encoder", "classifier") else cache(shape, context=context, batch=batch)
    # Sequences joining a batch are copied once, together with those that are there.
    return weights(shape) + 2 * kept + _FLOAT * read * block


def training(
    shape: Shape, kind: Kind, *, length: int, tokens: int, method: Method = "full", rank: int = 16
) -> int:
    """Bytes for training in float32 on rows of `length` tokens, of which `tokens` are computed at once.

    The peak is either where the backward pass begins, with every activation, or at the update, with all
    gradients. Full training keeps two moments for each weight; LoRA does for its adapters alone.
    """
    learned = shape.parameters if method == "full" else adapters(shape, rank)
    states = 2 * learned * _FLOAT
    kept = tokens * _FLOAT * (activations(shape, length) + (shape.hidden * 3))
    head = 3 * _FLOAT * tokens * shape.vocab if kind in ("language", "encoder_decoder") else 0
    # Adam makes two temporaries of the largest tensor, which is the embedding.
    update = learned * _FLOAT + (2 * _FLOAT * shape.hidden * shape.vocab if method == "full" else 0)
    return weights(shape) + states + max(kept + head, update)


def adapters(shape: Shape, rank: int) -> int:
    """Weights of LoRA adapters on every linear layer of the blocks."""
    query, key = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    attention = 2 * (shape.hidden + query) + 2 * (shape.hidden + key)
    block = attention + (3 if shape.gated else 2) * (shape.hidden + shape.intermediate)
    return rank * ((shape.layers + shape.decoder_layers) * block + shape.decoder_layers * attention)


def activations(shape: Shape, length: int) -> int:
    """Numbers kept for the backward pass for each token of a row of `length` tokens, over all blocks.

    With rotary positions attention keeps no scores (Dao et al. 2022); elsewhere dropout on them does.
    """
    block = 6 * shape.hidden + 2 * (shape.heads + shape.kv_heads) * shape.head_dim + 4 * shape.intermediate
    if shape.positions or shape.decoder_layers:
        inner = 4 if shape.gated else 2
        block = 10 * shape.hidden + inner * shape.intermediate + 3 * shape.heads * length
    crossing = 5 * shape.hidden + 3 * shape.heads * length
    return shape.layers * block + shape.decoder_layers * (block + crossing)
