"""What a contestant is told and what it tells: two JSON files. Nothing but the standard library is needed."""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

# glibc's names in malloc.h, and the largest threshold it takes.
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _NEVER = -1, -4, 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A model folder, a file of rows, of which the first `count` are used, and how they are learned."""

    work: str
    model: str
    rows: str
    count: int
    method: str = "lora"
    batch_size: int = 8
    epochs: int = 3
    rate: float = 2e-4
    device: str = "cpu"
    seed: int = 0
    options: dict[str, Any] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    def examples(self) -> list[dict[str, Any]]:
        return self.all_rows()[: self.count]

    def all_rows(self) -> list[dict[str, Any]]:
        """The whole file: labels are counted in it."""
        with Path(self.rows).open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]


@dataclass(slots=True)
class Told:
    """Seconds and loss of each optimizer step, and the process's age in seconds when the first was done.

    `validation` is the loss on rows that were held out, if there are any; `device_bytes` is the peak of what
    torch took of the memory of a graphics processor.
    """

    seconds: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    first_step: float = 0.0
    validation: float | None = None
    device_bytes: int = 0

    def step(self, seconds: float) -> None:
        self.first_step = self.first_step or age()
        self.seconds.append(seconds)


def told(path: Path) -> Told:
    return Told(**json.loads(path.read_text(encoding="utf-8")))


def arguments() -> tuple[Job, Path]:
    """The job and the file for what is told: a contestant is started as `python SCRIPT JOB OUT`."""
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    return Job(**given), Path(sys.argv[2])


def tell(result: Told, path: Path) -> None:
    torch = sys.modules["torch"]
    if torch.cuda.is_available():
        result.device_bytes = torch.cuda.max_memory_reserved()
    path.write_text(json.dumps(asdict(result)), encoding="utf-8")


def age() -> float:
    """Seconds since this process was started, as the kernel counts them."""
    fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def keep_memory() -> None:
    """The allocator of every contestant: freed memory is kept, and large blocks are not mapped anew."""
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_MAX, 0)
    libc.mallopt(_M_TRIM_THRESHOLD, _NEVER)
