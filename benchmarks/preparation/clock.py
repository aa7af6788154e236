"""How long a command takes and how much memory it and what it starts hold, as the system sees it."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_EVERY = 0.05  # seconds between looks at the memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Wall seconds from start to end, seconds of all processors, and the peak of resident memory."""

    seconds: float
    processor_seconds: float
    peak_bytes: int


def measure(command: Sequence[str | Path], log: Path) -> Measured:
    """Run a command to its end, output into `log`.

    Raises:
        RuntimeError: it failed; the end of its output is told.
    """
    with log.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdout=output, stderr=subprocess.STDOUT)
        peak = 0
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            peak = max(peak, _resident(process.pid))
            time.sleep(_EVERY)
        seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} failed: {log.read_text(errors='replace')[-2000:]}")
    # The largest single process, in case it peaked between two looks.
    peak = max(peak, usage.ru_maxrss * 1024)
    return Measured(seconds=seconds, processor_seconds=usage.ru_utime + usage.ru_stime, peak_bytes=peak)


def _resident(root: int) -> int:
    """Resident bytes of a process and all below it; what forked processes share counts for each."""
    parents: dict[int, list[int]] = {}
    resident: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        parents.setdefault(int(fields[1]), []).append(int(entry.name))
        resident[int(entry.name)] = int(fields[21]) * _PAGE
    total, waiting = 0, [root]
    while waiting:
        one = waiting.pop()
        total += resident.get(one, 0)
        waiting += parents.get(one, [])
    return total


def median(runs: Sequence[Measured]) -> dict[str, object]:
    """The medians of several runs, and their seconds one by one."""
    return {
        "seconds": round(statistics.median(run.seconds for run in runs), 3),
        "processor_seconds": round(statistics.median(run.processor_seconds for run in runs), 3),
        "peak_memory_bytes": int(statistics.median(run.peak_bytes for run in runs)),
        "runs": [round(run.seconds, 3) for run in runs],
    }


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": names[0].partition(":")[2].strip() if names else platform.processor(),
        "processors": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * _PAGE,
        "system": platform.platform(),
        "python": platform.python_version(),
    }
