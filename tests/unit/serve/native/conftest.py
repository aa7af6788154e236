"""Compiled functions to be called with arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from tunesmith.serve.native import isa, machine

Compile = Callable[..., list[Callable[..., Any]]]


@pytest.fixture(scope="session")
def on_arrays() -> Compile:
    """Compile functions; arrays are taken for addresses."""

    def taking(made: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *given: made(*(a.ctypes.data if isinstance(a, np.ndarray) else a for a in given))

    return lambda *functions: [taking(made) for made in machine.functions(functions, isa.here())]
