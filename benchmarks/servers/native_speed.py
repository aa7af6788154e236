"""Ours in process: python native_speed.py MODEL WEIGHTS PROMPT; figures of `sizes` as one JSON object."""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from servers import sizes
from tunesmith.models import loading
from tunesmith.models.resolve import Resolved
from tunesmith.serve.admission import Limits
from tunesmith.serve.native import building, isa, packed, plan
from tunesmith.serve.native.decoder import NativeDecoder
from tunesmith.serve.native.model import formats
from tunesmith.serve.native.past import NativePast


def main() -> None:
    """Load, then measure."""
    folder = Path(sys.argv[1])
    weights: Any = sys.argv[2]
    start = time.perf_counter()
    model: Any = loading.load(Resolved(name=folder.name, folder=folder))
    limits = Limits(batch=max(sizes.BATCHES), running_size=2**14)
    decoder = building.decoder(model.module, model.digest, weights, limits)
    figures = {"load_seconds": time.perf_counter() - start, "weight_bytes": _bytes(model, weights)}
    _read(decoder, 16)
    figures[f"prefill_{sizes.LONG}"] = max(_read(decoder, sizes.LONG) for _ in range(2))
    for batch, steps in sizes.BATCHES.items():
        figures[f"decode_{batch}"] = _continued(decoder, batch, steps)
    figures["four_rows_cost"] = _guessed(decoder)
    decoder.close()
    print(json.dumps(figures))


def _bytes(model: Any, weights: Any) -> int:
    """Of all matrices, as they are packed."""
    here = isa.here()
    shape = plan.plan(model.module.config)
    parts = packed.layout(shape, formats(shape, weights, here))
    return sum(
        packed.bytes_of(part) for name, part in parts.items() if name.endswith((".weights", ".scales"))
    )


def _read(decoder: NativeDecoder, length: int) -> float:
    """Tokens of a prompt that are read in a second."""
    start = time.perf_counter()
    _begun(decoder, 1, length)
    return length / (time.perf_counter() - start)


def _continued(decoder: NativeDecoder, batch: int, steps: int) -> float:
    """Tokens that are written in a second, none of them guessed."""
    past, tokens = _begun(decoder, batch, sizes.before())
    start = time.perf_counter()
    for _ in range(steps):
        tokens = past.forward(dict(enumerate(tokens))).numpy().argmax(-1).tolist()
    return batch * steps / (time.perf_counter() - start)


def _guessed(decoder: NativeDecoder) -> float:
    """How many times longer a step takes that computes four tokens of a sequence instead of one."""
    past, _ = _begun(decoder, 1, sizes.before())
    ratios = []
    for _ in range(sizes.BATCHES[1]):
        start = time.perf_counter()
        past.attempt(0, [1])
        one = time.perf_counter()
        past.attempt(0, [1, 2, 3, 4])
        ratios.append((time.perf_counter() - one) / (one - start))
    return statistics.median(ratios)


def _begun(decoder: NativeDecoder, batch: int, length: int) -> tuple[NativePast, list[int]]:
    """A past with prompts that were read, and what follows each."""
    past, tokens = decoder.fresh(), []
    for number in range(batch):
        ids = sizes.prompt(number, length, decoder.vocabulary)
        past.begin(number, ids)
        for first in range(0, length, decoder.chunk):
            logits = past.read([(number, ids[first : first + decoder.chunk])])
        tokens.append(int(logits[0].numpy().argmax()))
    return past, tokens


if __name__ == "__main__":
    main()
