"""Started in a process of its own: gives up what it can, then starts the program that is to be run.

`python -I launcher.py SECONDS MEGABYTES PROGRAM`. It imports nothing of Tunesmith. Where the system allows it
the program is the first process of a namespace: with it end all that it started, wherever they went.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from typing import NoReturn

# linux/sched.h and linux/prctl.h
_NEW_USER, _NEW_NET, _NEW_IPC, _NEW_PROCESSES = 0x10000000, 0x40000000, 0x08000000, 0x20000000
_END_WITH_PARENT, _NO_NEW_PRIVILEGES = 1, 38
_FILE_BYTES = 1 << 20
_FILES = 32


def isolate(libc: ctypes.CDLL) -> None:
    """Leave the network and the other processes, and gain no rights any more, where the system allows it."""
    if not hasattr(libc, "unshare"):
        return
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    alone = _NEW_NET | _NEW_IPC | _NEW_PROCESSES
    if libc.unshare(_NEW_USER | alone) != 0:
        libc.unshare(alone)


def limit(seconds: int, megabytes: int) -> None:
    """Bound time, memory, files and processes of what follows."""
    memory = megabytes << 20
    bounds = {
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_DATA: memory,
        resource.RLIMIT_FSIZE: _FILE_BYTES,
        resource.RLIMIT_NOFILE: _FILES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: 0,
    }
    for kind, wanted in bounds.items():
        hard = resource.getrlimit(kind)[1]
        bound = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (bound, bound))


def main(seconds: str, megabytes: str, program: str) -> int:
    """Run the program; returns 0 if it ended with that."""
    libc = ctypes.CDLL(None, use_errno=True)
    isolate(libc)
    child = os.fork()
    if not child:
        become(libc, int(seconds), int(megabytes), program)
    return int(os.waitpid(child, 0)[1] != 0)


def become(libc: ctypes.CDLL, seconds: int, megabytes: int, program: str) -> NoReturn:
    """Be the program from here on, and end when the launcher does."""
    if hasattr(libc, "prctl"):
        libc.prctl(_END_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    limit(seconds, megabytes)
    os.execv(sys.executable, [sys.executable, "-I", "-B", program])  # noqa: S606  the point of it


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
