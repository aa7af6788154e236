"""Where compiled code and packed weights are kept between runs, for this user alone."""

from __future__ import annotations

import os
import sys
from pathlib import Path

SETTING = "TUNESMITH_CACHE"
"""The environment variable that names another place."""


def root() -> Path:
    """The folder of everything that can be made again: only its owner may look into it."""
    return _made(Path(os.environ.get(SETTING) or _usual() / "tunesmith"))


def code() -> Path:
    """Where compiled code is."""
    return _made(root() / "code")


def packed() -> Path:
    """Where packed weights are."""
    return _made(root() / "packed")


def _usual() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _made(folder: Path) -> Path:
    # Code that is found there is run: nobody else may put any.
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
