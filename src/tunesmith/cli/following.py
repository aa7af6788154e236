"""The events of a run as they are written, by whichever process works on it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.core.runs import RunFolder

_INTERVAL_S = 0.5


def records(run: RunFolder, wait: Callable[[float], None] = time.sleep) -> Iterator[dict[str, Any]]:
    """Every line of events.jsonl, old and new, until nobody works on the run any more."""
    seen: set[int] = set()
    read, last = 0, b""
    while True:
        # Asked before reading: what was written until then is still read.
        is_over = run.owner() is None
        content = run.events.path.read_bytes() if run.events.path.exists() else b""
        if not content.startswith(last, read - len(last)):
            # A run that went back to a checkpoint took back what it had said after it.
            read = 0
        end = content.rfind(b"\n") + 1
        for line in content[read:end].splitlines(keepends=True):
            last = line
            if hash(line) not in seen:
                seen.add(hash(line))
                yield json.loads(line)
        read = max(read, end)
        if is_over:
            return
        wait(_INTERVAL_S)
