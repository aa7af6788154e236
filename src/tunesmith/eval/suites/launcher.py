"""Started in a process of its own: gives up what it can, then becomes the program that is to be run.

`python -I launcher.py SECONDS MEGABYTES PROGRAM`. It imports nothing of Tunesmith.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys

_NEW_USER, _NEW_NET, _NEW_IPC = 0x10000000, 0x40000000, 0x08000000  # linux/sched.h
_NO_NEW_PRIVILEGES = 38  # linux/prctl.h
_FILE_BYTES = 1 << 20
_FILES = 32


def isolate() -> bool:
    """Leave the network and gain no rights any more, where the system allows it; whether it did."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "unshare"):
        return False
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    alone = _NEW_NET | _NEW_IPC
    return any(libc.unshare(flags) == 0 for flags in (_NEW_USER | alone, alone))


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


def main(seconds: str, megabytes: str, program: str) -> None:
    """Become the program."""
    isolate()
    limit(int(seconds), int(megabytes))
    os.execv(sys.executable, [sys.executable, "-I", "-B", program])  # noqa: S606  the point of it


if __name__ == "__main__":
    main(*sys.argv[1:])
