"""The training part of a recipe with rows added to it: which, how many, and never what is held out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tunesmith.core.recipe import Data
from tunesmith.data.augmenting.making import ORIGIN
from tunesmith.data.augmenting.part import Helpers
from tunesmith.data.prepare import Prepared, prepare

LABELS = {"card": "my card is lost", "rate": "what is the rate", "top": "top up my account"}


def labels_by_first_word(texts: Any, labels: Any) -> Any:
    """A classifier that knows the labels by a word."""
    return lambda asked: [next((k for k in LABELS if k in text), "none") for text in asked]


class Echo:
    """A model that says, fills or translates what it is told to."""

    def __init__(self, answer: str) -> None:
        self.answer = answer

    def chat(self, turns: Any, **settings: Any) -> str:
        return self.answer

    def translate(self, texts: list[str]) -> list[str]:
        return [text[::-1] for text in texts]


def helpers(answer: str = "") -> Helpers:
    return Helpers(find=lambda name: Echo(answer), fit=labels_by_first_word)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rows")
    months = "Jan Feb March April May June July August Sept Oct Nov Dec".split()  # noqa: SIM905
    lines = [
        f"{text} since {month} please help,{label}" for month in months for label, text in LABELS.items()
    ]
    (folder / "rows.csv").write_text("\n".join(["text,label", *lines]))
    (folder / "held.csv").write_text("text,label\nhow do I get a better rate,rate\n")
    return folder


def made(
    base: Path, folder: Path, augment: Any, *, answer: str = "", **data: Any
) -> tuple[Prepared, pl.DataFrame]:
    section = Data(
        **{"source": "rows.csv", "clean": [], "split": {"similar": None}, "augment": augment, **data}
    )
    folder.mkdir()
    found = prepare(section, shape="labelled", seed=3, base=base, folder=folder, helpers=helpers(answer))
    return found, found.frame("train")


def test_new_rows_are_counted_apart_and_name_their_augmenter_and_origin(rows: Path, tmp_path: Path) -> None:
    found, train = made(rows, tmp_path / "a", {"by": ["eda", "typos"], "copies": 2})
    old = train.filter(pl.col(ORIGIN).is_null())
    new = train.filter(pl.col(ORIGIN).is_not_null())
    counted = {name: own["made"] for name, own in found.augmented.items()}
    assert dict(new[ORIGIN].value_counts().iter_rows()) == counted
    assert all(sum(own.values()) == 2 * old.height for own in found.augmented.values())
    assert set(new["_row"]) <= set(old["_row"])
    summary = found.ledger.summary()
    assert summary["used"] == old.height
    assert summary["read"] == summary["used"] + sum(summary["held_out"].values())
    joined = new.join(old, on="_row")
    assert (joined["label"] == joined["label_right"]).all()
    assert (joined["text"] != joined["text_right"]).all()
    again, same = made(rows, tmp_path / "b", {"by": ["eda", "typos"], "copies": 2})
    assert same.equals(train)
    assert again.augmented == found.augmented


def test_neither_the_size_of_batches_nor_other_augmenters_show_in_a_row(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, whole = made(rows, tmp_path / "a", {"by": ["typos", "eda"], "agree": "none"})
    monkeypatch.setattr("tunesmith.data.augmenting.part._AT_ONCE", 5)
    _, pieces = made(rows, tmp_path / "b", {"by": ["typos", "eda"], "agree": "none"})
    assert whole.sort(whole.columns).equals(pieces.sort(whole.columns))


def test_rows_trained_on_more_than_once_are_augmented_once(rows: Path, tmp_path: Path) -> None:
    found, train = made(rows, tmp_path / "a", "eda", source={"path": "rows.csv", "weight": 3})
    assert sum(found.augmented["eda"].values()) == train.filter(pl.col(ORIGIN).is_null())["_row"].n_unique()


@pytest.mark.parametrize("answer", ["How do I get a better RATE", "how do I get a better rate!"])
def test_a_model_cannot_say_what_is_held_out(rows: Path, tmp_path: Path, answer: str) -> None:
    source = {"train": "rows.csv", "test": "held.csv"}
    model = {"name": "paraphrase", "model": "any"}
    found, train = made(
        rows, tmp_path / "a", {"by": [model], "agree": "none"}, answer=answer, source=source,
        split={"validation": 0, "similar": 0.8},
    )  # fmt: skip
    assert train[ORIGIN].is_null().all()
    assert found.augmented["paraphrase"]["like_held_out"] > 0


def test_rows_about_whose_label_a_classifier_has_doubts_are_dropped_and_counted(
    rows: Path, tmp_path: Path
) -> None:
    found, train = made(rows, tmp_path / "a", {"by": ["case", {"name": "keyboard", "rate": 0.6}]})
    assert found.augmented["keyboard"]["disagreed"] > 0
    new = train.filter(pl.col(ORIGIN).is_not_null())
    assert all(label in text for text, label in new.select("text", "label").iter_rows())
    kept, _ = made(rows, tmp_path / "b", {"by": [{"name": "keyboard", "rate": 0.6}], "agree": "none"})
    assert "disagreed" not in kept.augmented["keyboard"]
