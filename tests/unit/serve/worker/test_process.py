"""How the process of an engine begins and ends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from tunesmith.core.errors import ModelError, TunesmithError
from tunesmith.serve.worker.process import Process


def test_what_it_says_of_its_failure_is_raised(start: Callable[..., Process]) -> None:
    with pytest.raises(ModelError, match="M13"):
        start(fails="told").facts()


def test_one_that_ends_before_it_is_ready_is_told_of(start: Callable[..., Process]) -> None:
    with pytest.raises(TunesmithError, match="S49") as error:
        start(fails="untold").facts()
    assert error.value.problems[0].values["status"] == -9


def test_it_ends_when_nobody_speaks_to_it() -> None:
    command = [sys.executable, "-m", "tunesmith.serve.worker"]
    assert subprocess.run(command, stdin=subprocess.DEVNULL, timeout=60, check=False).returncode == 0
