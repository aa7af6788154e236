"""The memory a process says it needed is what it took."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from tunesmith.core import memory
from tunesmith.core.memory import peak_memory_bytes, resident_memory_bytes

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


def test_what_is_in_use_now_is_at_most_the_peak():
    assert 10_000_000 < resident_memory_bytes() <= peak_memory_bytes()


def test_a_container_has_no_more_than_it_is_allowed(tmp_path, monkeypatch):
    limit, used = tmp_path / "max", tmp_path / "current"
    limit.write_text("1000000\n", "ascii")
    used.write_text("900000\n", "ascii")
    monkeypatch.setattr(memory, "_CONTAINERS", ((limit, used),))
    monkeypatch.setattr(memory, "_CONTAINER_STATE", tmp_path / "stat")
    assert memory.machine_memory_bytes() == 1_000_000
    assert memory.available_memory_bytes() == 100_000
    (tmp_path / "stat").write_text("anon 700000\ninactive_file 150000\n", "ascii")
    assert memory.available_memory_bytes() == 250_000
    limit.write_text("max\n", "ascii")
    assert memory.available_memory_bytes() > 1_000_000
