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
# Where the probabilities of all pairs of tokens would take more in a layer, attention keeps none (Dao et al.
# 2022); as in train/backbones/attention.py.
_PROBABILITIES = 32 * 2**20
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
    block = 3 * (shape.hidden + shape.intermediate)
    return weights(shape) + _kept(shape, kind, context=context, batch=batch) + _FLOAT * read * block


def _kept(shape: Shape, kind: Kind, *, context: int, batch: int) -> int:
    """Bytes of keys and values. A decoder's lie in slabs, whose rows double in number and in width.

    While they double the old ones are there too, and beside them what is being read.
    """
    if kind == "encoder_decoder":
        return cache(shape, context=context, batch=batch)
    if kind != "language":
        return 0
    rows, width = (1 << (n - 1).bit_length() for n in (batch, context))
    return cache(shape, context=width, batch=rows + rows // 2 + 1)


def training(
    shape: Shape, kind: Kind, *, length: int, tokens: int, method: Method = "full", rank: int = 16
) -> int:
    """Bytes for training in float32 on rows of `length` tokens, of which `tokens` are computed at once.

    While the last micro-batch of a step is computed, the gradients of those before it are there too. Full
    training keeps a gradient and two moments for each weight; LoRA does for its adapters alone.
    """
    learned = shape.parameters if method == "full" else adapters(shape, rank)
    return weights(shape) + _FLOAT * (3 * learned + tokens * activations(shape, kind, length, tokens))


def adapters(shape: Shape, rank: int) -> int:
    """Weights of LoRA adapters on every linear layer of the blocks."""
    query, key = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    attention = 2 * (shape.hidden + query) + 2 * (shape.hidden + key)
    block = attention + (3 if shape.gated else 2) * (shape.hidden + shape.intermediate)
    return rank * ((shape.layers + shape.decoder_layers) * block + shape.decoder_layers * attention)


def activations(shape: Shape, kind: Kind, length: int, tokens: int) -> int:
    """Numbers that a step holds for each of the `tokens` that are computed at once, over all blocks.

    They are what is kept for the backward pass and its gradients. The factors are fitted to what the
    benchmark measures: of decoders with rotary positions and of encoders in the fast backbones, and of GPT-2,
    whose activation is made of several steps and whose dropout keeps masks, in its own code.
    """
    looks = shape.heads * length
    if not shape.positions and not shape.decoder_layers:
        keeps = _FLOAT * tokens * looks <= _PROBABILITIES
        return shape.layers * (10 * shape.hidden + 3 * shape.intermediate + (6 * looks if keeps else 0))
    inner, scores = (5, 12) if kind == "language" else (4 if shape.gated else 2, 5.5)
    block = 10 * shape.hidden + inner * shape.intermediate + round(scores * looks)
    crossing = 5 * shape.hidden + round(scores * looks)
    return shape.layers * block + shape.decoder_layers * (block + crossing)
