"""Rows that a model makes up are new, are like nothing held out, and are marked for ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core.errors import DataError, ModelError
from tunesmith.workflow.dataset import converting
from tunesmith.workflow.dataset.section import of_files
from tunesmith.workflow.dataset.synthesising import Wishes, synthesise


class Writer:
    """A model that answers with texts that were prepared."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.asked = list(answers), list[Any]()

    def chat(self, turns: Any, **settings: Any) -> str:
        self.asked.append((turns, settings))
        return self.answers.pop(0) if self.answers else "no"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "real.csv").write_text(
        "text,label\nmy card is lost somewhere,card\nwhat is the rate today,rate\n"
    )
    (tmp_path / "held.csv").write_text(
        "text,label\nthe card was eaten by a machine,card\nhow much is it,rate\n"
    )
    return tmp_path


def test_made_up_rows_are_new_and_stay_marked(files: Path) -> None:
    model = Writer(
        'Here: ["My CARD is lost somewhere", "a thief has my card", "The card was eaten by a machine!"]',
        '["a thief has my card", "card blocked, please help"]',
        "nothing",
        '["tell me what exchanging costs", "which rate applies to euros", "one too many here"]',
    )
    made = synthesise(
        of_files(["real.csv"]), Wishes(by="hosted:x", rows=2, rubric="Be brief."), model, Path("new.csv"),
        held_out=of_files(["held.csv"]), layout=None,
    )  # fmt: skip
    assert made["rows"] == 4
    counts = made["made"]["hosted:x"]
    assert counts == {"made": 4, "repeated": 2, "like_held_out": 1, "unreadable": 1}
    turns, settings = model.asked[0]
    assert "Be brief." in turns[0]["content"]
    assert settings["temperature"] == 0
    converting.convert_files(of_files(["new.csv"]), Path("new.jsonl"), None)
    rows = [json.loads(line) for line in Path("new.jsonl").read_text().splitlines()]
    assert [row["label"] for row in rows] == ["card", "card", "rate", "rate"]
    assert {row["synthetic_by"] for row in rows} == {"hosted:x"}


def test_other_shapes_and_other_models_are_refused(files: Path) -> None:
    with pytest.raises(ModelError) as silent:
        synthesise(
            of_files(["real.csv"]), Wishes(by="m", rows=1), object(), Path("o.csv"),
            held_out=None, layout=None,
        )  # fmt: skip
    assert silent.value.problems[0].code == "A05"
    (files / "pairs.jsonl").write_text('{"source": "a", "target": "b"}\n' * 2)
    with pytest.raises(DataError) as caught:
        synthesise(
            of_files(["pairs.jsonl"], task="paired"), Wishes(by="m", rows=1), Writer(), Path("o.csv"),
            held_out=None, layout=None,
        )  # fmt: skip
    assert caught.value.problems[0].code == "A04"
