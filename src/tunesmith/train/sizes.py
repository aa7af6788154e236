"""How many tokens are computed at once where the recipe leaves it to us (`micro_batch_tokens: auto`)."""

from __future__ import annotations

from tunesmith.models import device
from tunesmith.tasks.mixed import Mixed
from tunesmith.tasks.task import Comparing, Task

# A processor is as fast with 1024 tokens as with more, for which it needs more memory
# (`benchmarks/training.py --tokens`).
_PROCESSOR = (1024, 512, 256)
# Rows that are compared are computed twice unless they are one micro-batch.
_TOGETHER = (4096, 2048, *_PROCESSOR)
# A graphics processor would wait for small ones.
_GRAPHICS = (32768, 16384, 8192, *_TOGETHER)
_USUAL_GRAPHICS = 16384


def choices(task: Task | Mixed) -> tuple[int, ...]:
    """The sizes to choose from, the largest first."""
    if device.is_graphics():
        return _GRAPHICS
    return _TOGETHER if isinstance(task, Comparing) else _PROCESSOR


def usual(task: Task | Mixed) -> int:
    """The size where nobody says how much room there is."""
    return _USUAL_GRAPHICS if device.is_graphics() else choices(task)[0]
