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
# Blocks of memory of all sizes come and go in a step; what lies free between them is in use to the system.
# Measured: 1.24 to 1.73 over the cases of the benchmark.
_SCATTERED = 1.5
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
    reads_only = kind in ("encoder", "classifier", "tagger", "reader", "embedder", "scorer", "masked")
    kept = 0 if reads_only else cache(shape, context=context, batch=batch)
    return weights(shape) + kept + _FLOAT * read * block


def training(
    shape: Shape, kind: Kind, *, length: int, tokens: int, method: Method = "full", rank: int = 16
) -> int:
    """Bytes for training in float32 on rows of `length` tokens, of which `tokens` are computed at once.

    While the last micro-batch of a step is computed, the gradients of those before it are there too. Full
    training keeps a gradient and two moments for each weight; LoRA does for its adapters alone.
    """
    learned = shape.parameters if method == "full" else adapters(shape, rank)
    kept = activations(shape, kind, length)
    # Logits, their logarithms and their gradients.
    head = 3 * shape.vocab if kind in ("language", "encoder_decoder") else 0
    return weights(shape) + _FLOAT * (3 * learned + round(_SCATTERED * tokens * (kept + head)))


def adapters(shape: Shape, rank: int) -> int:
    """Weights of LoRA adapters on every linear layer of the blocks."""
    query, key = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    attention = 2 * (shape.hidden + query) + 2 * (shape.hidden + key)
    block = attention + (3 if shape.gated else 2) * (shape.hidden + shape.intermediate)
    return rank * ((shape.layers + shape.decoder_layers) * block + shape.decoder_layers * attention)


def activations(shape: Shape, kind: Kind, length: int) -> int:
    """Numbers kept for the backward pass for each token of a row of `length` tokens, over all blocks.

    With rotary positions attention keeps no scores (Dao et al. 2022); elsewhere dropout on them does. GPT-2's
    activation is made of several steps, each of which keeps its input.
    """
    block = 6 * shape.hidden + 2 * (shape.heads + shape.kv_heads) * shape.head_dim + 4 * shape.intermediate
    if shape.positions or shape.decoder_layers:
        inner = 4 if shape.gated else 2 if kind != "language" else 5
        block = 10 * shape.hidden + inner * shape.intermediate + 3 * shape.heads * length
    crossing = 5 * shape.hidden + 3 * shape.heads * length
    return shape.layers * block + shape.decoder_layers * (block + crossing)
