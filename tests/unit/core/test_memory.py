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


_THREADS = """
from concurrent.futures import ThreadPoolExecutor
from tunesmith.core.memory import peak_memory_bytes, share_heap
import sys
if sys.argv[1:]:
    share_heap()
def work(number):
    held = [bytes(100_000) + bytes([number]) for _ in range(100)]
    return len(held)
for _ in range(20):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
print(peak_memory_bytes())
"""


def test_threads_that_share_a_heap_need_no_more_memory():
    command = [sys.executable, "-c", _THREADS]
    apart, shared = (
        int(subprocess.run([*command, *words], capture_output=True, text=True, check=True).stdout)
        for words in ([], ["shared"])
    )
    assert shared <= apart * 1.1
