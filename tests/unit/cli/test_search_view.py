"""Trials as people read them: the best first, in 80 columns, in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from tunesmith.cli import layout, search_view
from tunesmith.cli.output import Output
from tunesmith.core.events import TrialFinished, TrialStarted


def output(lang: str) -> Output:
    return Output(lang=lang, as_json=False, quiet=False, place=None)


def trial(number: int, figure: float | None) -> dict[str, Any]:
    values = {"optimizer.lr": 0.00012345 * number, "method": {"name": "lora", "rank": 4}}
    state = "failed" if figure is None else "complete"
    return {"trial": number, "values": values, "state": state, "figure": figure, "seconds": 1.25}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_best_trials_are_listed_first_and_the_others_counted(
    lang: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    trials = [trial(1, None), *(trial(n, 0.1 * (n % 7)) for n in range(2, 13))]
    search = {"metric": "loss", "direction": "lower", "best": 7, "trials": trials}
    search_view.show(search, output(lang))
    said = capsys.readouterr().out
    assert all(layout.width(line) <= 80 for line in said.splitlines())
    rows = [line.split() for line in said.splitlines()[:-1] if line.split() and line.split()[0].isdigit()]
    assert [row[0] for row in rows] == ["7", "8", "2", "9", "3", "10", "4", "11", "5", "12"]
    assert "✓" in rows[0]
    assert "2" in said.splitlines()[-1]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_progress_fits_the_terminal(lang: str) -> None:
    values = {f"optimizer.setting_{n}": 0.000123456 for n in range(5)}
    for event in (
        TrialStarted(trial=3, trials=20, values=values),
        *(
            TrialFinished(trial=3, values=values, state=state, metric="f1", figure=0.25, seconds=1.0)
            for state in ("complete", "pruned", "failed")
        ),
    ):
        lines = list(search_view.progress(event, output(lang)))
        assert all(layout.width(line) <= 80 for line in lines)
        assert "3" in lines[0]
        assert "{" not in "".join(lines)
