"""What a command says to programs is JSON, whatever the numbers are."""

from __future__ import annotations

import json

import pytest

from tunesmith.cli.output import Output


def test_a_score_that_is_no_number_is_still_json(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(lang="en", as_json=True, quiet=False, place=None)
    output.data({"scores": {"perplexity": float("inf"), "loss": float("nan")}})
    said = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert said == {"scores": {"perplexity": "Infinity", "loss": "NaN"}}
