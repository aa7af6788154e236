"""Values become JSON that every reader takes, and numbers come back."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import MappingProxyType

import pytest

from tunesmith.core.plain import dumps, figures, plain

NUMBERS = {"a": float("inf"), "b": {"c": float("-inf"), "d": 0.5}, "e": None}


def test_values_become_those_of_json():
    value = MappingProxyType({1: (float("nan"), True, "NaN"), "file": Path("a.csv"), "n": 2})
    assert json.loads(dumps(value), parse_constant=pytest.fail) == {
        "1": ["NaN", True, "NaN"], "file": "a.csv", "n": 2,
    }  # fmt: skip


def test_numbers_are_read_back_from_their_words():
    assert figures(json.loads(dumps(NUMBERS))) == NUMBERS
    assert math.isnan(figures(plain(float("nan"))))
