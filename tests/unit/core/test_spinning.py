"""Threads spin shortly while they wait, unless the user decides."""

from __future__ import annotations

import pytest

from tunesmith.core import spinning


@pytest.mark.parametrize(
    ("said", "added"),
    [
        ({}, {"GOMP_SPINCOUNT": "10000", "KMP_BLOCKTIME": "0"}),
        ({"GOMP_SPINCOUNT": "7"}, {"KMP_BLOCKTIME": "0"}),
        ({"OMP_WAIT_POLICY": "PASSIVE"}, {}),
    ],
)
def test_what_the_user_decided_stays(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, str], added: dict[str, str]
) -> None:
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert spinning.environment() == added
