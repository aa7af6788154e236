"""The memory a process says it needed is what it took."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

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


FAULTS = """
import resource
from tunesmith.core.memory import keep_freed_memory
if {keep}:
    keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
bytearray(1 << 26)
before = faults()
for _ in range(10):
    bytearray(1 << 26)
print(faults() - before)
"""


def faults(*, keep: bool) -> int:
    script = FAULTS.format(keep=keep)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has this setting")
def test_blocks_asked_for_again_have_their_pages() -> None:
    assert faults(keep=True) * 10 < faults(keep=False)
