"""OpenVINO GenAI in process: python openvino_speed.py FILE.gguf VOCABULARY PROMPT; `sizes` as JSON.

It runs in an environment of its own, with nothing of Tunesmith, as its continuous batching does by itself:
all prompts at once, the most probable token, keys and values in 8 bits. No prompt finds what another left.
"""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import openvino
import openvino_genai
import sizes

_SHORT = 16
_CACHE_GB = 2
_MOST_TOKENS = 4096  # of prompts in a step: all of the largest batch


def main() -> None:
    """Load, then measure."""
    path, vocabulary = Path(sys.argv[1]), int(sys.argv[2])
    seconds = partial(_seconds, vocabulary=vocabulary)
    start = time.perf_counter()
    model = openvino_genai.LLMPipeline(str(path), "CPU", scheduler_config=_scheduling())
    figures = {"load_seconds": time.perf_counter() - start, "weight_bytes": path.stat().st_size}
    seconds(model, 1, _SHORT, 4)
    quickest = min(seconds(model, 1, sizes.LONG, 1) for _ in range(2))
    figures[f"prefill_{sizes.LONG}"] = sizes.LONG / quickest
    for batch, steps in sizes.BATCHES.items():
        # What reads the prompts is measured by itself and taken away.
        read = seconds(model, batch, sizes.before(), 1)
        figures[f"decode_{batch}"] = batch * steps / (seconds(model, batch, sizes.before(), 1 + steps) - read)
    print(json.dumps(figures))


def _scheduling() -> openvino_genai.SchedulerConfig:
    found = openvino_genai.SchedulerConfig()
    found.enable_prefix_caching = False
    found.max_num_seqs = max(sizes.BATCHES)
    found.max_num_batched_tokens = _MOST_TOKENS
    found.cache_size = _CACHE_GB
    return found


def _seconds(
    model: openvino_genai.LLMPipeline, batch: int, length: int, tokens: int, vocabulary: int
) -> float:
    """Of reading so many prompts and writing so many tokens to each."""
    wish = openvino_genai.GenerationConfig()
    wish.max_new_tokens, wish.ignore_eos, wish.do_sample = tokens, True, False
    ids = np.array([sizes.prompt(n, length, vocabulary) for n in range(batch)], np.int64)
    prompts = openvino_genai.TokenizedInputs(openvino.Tensor(ids), openvino.Tensor(np.ones_like(ids)))
    start = time.perf_counter()
    written = model.generate(prompts, wish).tokens
    if any(len(row) != tokens for row in written):
        raise RuntimeError("fewer tokens than were asked for")
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
