"""Code that a model wrote, run in a process that can do little: this is no wall against code that attacks.

A process of its own, isolated Python without the user's variables, an empty temporary folder, bounds of time,
memory, files and processes, and where the system lets a process leave them, neither network nor other
processes; ended with all it started. It can still read what this user can read. Whoever runs code of models
they do not trust should do so in a container or a virtual machine.
"""

from __future__ import annotations

import math
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

End = Literal["passed", "failed", "late"]

# A process that waits does not use its seconds of computing: it is ended a little after them.
_GRACE = 2.0


def run(program: str, *, seconds: float, memory_mb: int) -> End:
    """Run a program in Python: passed if it came to its own end and not merely to an end."""
    end = secrets.token_hex(16)
    with (
        tempfile.TemporaryDirectory(prefix="tunesmith-") as folder,
        as_file(files("tunesmith.eval.suites").joinpath("launcher.py")) as launcher,
    ):
        file, said = Path(folder) / "program.py", Path(folder) / "said"
        file.write_text(f"{program}\nprint({end!r})\n", encoding="utf-8", errors="replace")
        command = [
            sys.executable,
            "-I",
            "-B",
            str(launcher),
            str(math.ceil(seconds)),
            str(memory_mb),
            str(file),
        ]
        with said.open("wb") as out:
            process = subprocess.Popen(  # noqa: S603  a command of ours; what it runs is confined by it
                command, cwd=folder, env={"LC_ALL": "C.UTF-8"}, stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
            began = time.monotonic()
            _wait(process, seconds + _GRACE)
        if time.monotonic() - began >= seconds:
            return "late"
        is_whole = process.returncode == 0 and said.read_bytes().endswith(f"{end}\n".encode())
        return "passed" if is_whole else "failed"


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait for the process so long, then end its group."""
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
