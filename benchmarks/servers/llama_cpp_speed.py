"""llama.cpp in process: python llama_cpp_speed.py FILE.gguf THREADS PROMPT; figures of `sizes` as JSON.

It runs in an environment of its own, with llama-cpp-python and nothing of Tunesmith. The most probable token
of each sequence is taken, as ours does.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import sizes


def main() -> None:
    """Load, then measure."""
    path, threads = sys.argv[1], int(sys.argv[2])
    llama_cpp.llama_backend_init()
    llama_cpp.llama_log_set(_SILENT, None)
    start = time.perf_counter()
    model = llama_cpp.llama_model_load_from_file(path.encode(), llama_cpp.llama_model_default_params())
    figures = {"load_seconds": time.perf_counter() - start, "weight_bytes": Path(path).stat().st_size}
    context = _Context(model, 1, sizes.LONG + 64, threads)
    context.read(1, 16)
    figures[f"prefill_{sizes.LONG}"] = max(_read(context) for _ in range(2))
    for batch, steps in sizes.BATCHES.items():
        figures[f"decode_{batch}"] = _continued(
            _Context(model, batch, sizes.before() + steps, threads), batch, steps
        )
    print(json.dumps(figures))


class _Context:
    """So many sequences of one model."""

    def __init__(self, model: Any, sequences: int, length: int, threads: int) -> None:
        wish = llama_cpp.llama_context_default_params()
        wish.n_ctx, wish.n_seq_max, wish.n_batch = length * sequences, sequences, sizes.LONG
        wish.n_threads = wish.n_threads_batch = threads
        self.vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
        self._context = llama_cpp.llama_init_from_model(model, wish)
        self._batch = llama_cpp.llama_batch_init(sizes.LONG, 0, 1)

    def read(self, sequences: int, length: int) -> list[int]:
        """Forget all, read a prompt for each sequence; what follows each."""
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._context), True)
        found = []
        for number in range(sequences):
            ids = sizes.prompt(number, length, self.vocabulary)
            found += self.step([(token, i, number) for i, token in enumerate(ids)], last=True)
        return found

    def step(self, rows: list[tuple[int, int, int]], *, last: bool = False) -> list[int]:
        """Tokens at their positions in sequences; what follows each, or only the last."""
        batch = self._batch
        batch.n_tokens = len(rows)
        for i, (token, position, sequence) in enumerate(rows):
            batch.token[i], batch.pos[i], batch.n_seq_id[i] = token, position, 1
            batch.seq_id[i][0] = sequence
            batch.logits[i] = not last or i == len(rows) - 1
        if llama_cpp.llama_decode(self._context, batch):
            raise RuntimeError("llama_decode failed")
        return [self._best(i) for i in range(len(rows)) if batch.logits[i]]

    def _best(self, row: int) -> int:
        logits = llama_cpp.llama_get_logits_ith(self._context, row)
        return int(np.ctypeslib.as_array(logits, (self.vocabulary,)).argmax())


def _read(context: _Context) -> float:
    start = time.perf_counter()
    context.read(1, sizes.LONG)
    return sizes.LONG / (time.perf_counter() - start)


def _continued(context: _Context, batch: int, steps: int) -> float:
    tokens = context.read(batch, sizes.before())
    start = time.perf_counter()
    for n in range(steps):
        tokens = context.step([(token, sizes.before() + n, i) for i, token in enumerate(tokens)])
    return batch * steps / (time.perf_counter() - start)


_SILENT = llama_cpp.llama_log_callback(lambda *_: None)


if __name__ == "__main__":
    main()
