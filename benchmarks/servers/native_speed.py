"""Ours in process: python native_speed.py MODEL WEIGHTS; figures of `sizes` as one JSON object."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from servers import sizes
from tunesmith.models import loading
from tunesmith.models.resolve import Resolved
from tunesmith.models.sampling import Sampling
from tunesmith.serve.admission import Limits
from tunesmith.serve.native import building, isa, packed, plan
from tunesmith.serve.native.decoder import NativeDecoder
from tunesmith.serve.native.model import formats


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
    decoder.clear()
    decoder.add(sizes.prompt(0, length, decoder.vocabulary), Sampling(max_new_tokens=1, temperature=0.0))
    start = time.perf_counter()
    while decoder.active:
        decoder.step()
    return length / (time.perf_counter() - start)


def _continued(decoder: NativeDecoder, batch: int, steps: int) -> float:
    """Tokens that are written in a second."""
    decoder.clear()
    wish = Sampling(max_new_tokens=10**6, temperature=0.0)
    for number in range(batch):
        decoder.add(sizes.prompt(number, sizes.PROMPT, decoder.vocabulary), wish)
    while len(decoder.step()) < batch:
        pass
    start = time.perf_counter()
    for _ in range(steps):
        decoder.step()
    return batch * steps / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
