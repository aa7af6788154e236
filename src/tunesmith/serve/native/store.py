"""Where compiled code and packed weights are kept between runs, for this user alone."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from tunesmith.core.errors import UsageError

SETTING = "TUNESMITH_CACHE"
"""The environment variable that names another place."""
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def root() -> Path:
    """The folder of everything that can be made again: only its owner may look into it.

    Raises:
        UsageError: N08 when it cannot be made, or others can write there.
    """
    return _made(Path(os.environ.get(SETTING) or _usual() / "tunesmith"))


def code() -> Path:
    """Where compiled code is."""
    return _made(root() / "code")


def packed() -> Path:
    """Where packed weights are."""
    return _made(root() / "packed")


def used(path: Path, most: int) -> None:
    """Note that a file was used, and remove what was not for longest, until all beside it is `most` bytes.

    What another process has mapped stays there for it, and what one is writing, whose name begins with a
    dot, is left alone.
    """
    with suppress(OSError):  # another process has removed it, or the folder is only to be read
        os.utime(path)
    kept = 0
    for other in sorted(path.parent.glob(f"[!.]*{path.suffix}"), key=_moment, reverse=True):
        with suppress(OSError):  # another process removes it too, or holds it open
            kept += other.stat().st_size
            if kept > most and other != path:
                other.unlink()


def _moment(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _usual() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = folder.stat()
    except OSError as error:
        raise UsageError("N08", folder=folder, reason=error.strerror) from error
    # Code that is found there is run: nobody else may put any.
    if os.name == "posix" and (found.st_uid != os.geteuid() or found.st_mode & _OTHERS):
        raise UsageError("N08", folder=folder, reason=f"uid {found.st_uid}, mode {found.st_mode & 0o777:03o}")
    return folder
