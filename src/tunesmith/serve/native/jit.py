"""Numba's compiler as we use it: no Python inside, nothing checked twice, results kept on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core import config

from tunesmith.serve.native import store

F = TypeVar("F", bound=Callable[..., Any])

# Products may be fused with sums; nothing is put in another order.
_FUSED = {"contract"}
_ANY_ORDER = {"contract", "reassoc", "nsz"}


def compiled(function: F) -> F:
    """Compile a function at its first call; it runs beside other threads of Python."""
    return _compiled(function, _FUSED)


def reordered(function: F) -> F:
    """The same, and sums may be taken in another order: the same one at every call."""
    return _compiled(function, _ANY_ORDER)


def _compiled(function: F, fastmath: set[str]) -> F:
    # Numba looks at this when it decorates. Its own cache would not see changes in the files beside.
    before, config.CACHE_DIR = config.CACHE_DIR, str(_folder())
    try:
        made: F = numba.njit(function, cache=True, nogil=True, fastmath=fastmath, error_model="numpy")
    finally:
        config.CACHE_DIR = before
    return made


def _folder() -> Path:
    """One folder for each state of these sources."""
    result = hashlib.sha256(numba.__version__.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        result.update(path.read_bytes())
    return store.code() / result.hexdigest()[:24]
