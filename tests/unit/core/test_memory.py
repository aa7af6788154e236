"""The memory a process says it needed is what it took."""

from __future__ import annotations

import subprocess
import sys

_HOLD = """
from tunesmith.core.memory import peak_memory_bytes
before = peak_memory_bytes()
held = b"x" * 64_000_000
del held
print(before, peak_memory_bytes())
"""


def test_the_peak_grows_with_what_was_held_and_does_not_fall():
    said = subprocess.run([sys.executable, "-c", _HOLD], capture_output=True, text=True, check=True)
    before, after = map(int, said.stdout.split())
    assert 5_000_000 < before < 100_000_000
    assert 55_000_000 < after - before < 75_000_000
