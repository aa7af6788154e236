"""Numbers: what was asked for, else what suits the processor; weights stay in float32."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tunesmith.train import precision


def backbone(width: int) -> Any:
    return SimpleNamespace(config=SimpleNamespace(hidden_size=width))


@pytest.mark.parametrize("wanted", ["bf16", "float32"])
def test_what_is_asked_for_is_taken(wanted: str) -> None:
    assert precision.resolve(wanted, backbone(8)) == wanted


@pytest.mark.parametrize(
    ("able", "width", "chosen"),
    [
        ({"avx512_bf16": True}, 384, "bf16"),
        ({"avx512_bf16": True}, 64, "float32"),
        ({"avx2": True}, 384, "float32"),
    ],
)
def test_what_suits_the_processor_and_the_model(
    monkeypatch: pytest.MonkeyPatch, able: dict[str, bool], width: int, chosen: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    assert precision.resolve("auto", backbone(width)) == chosen
