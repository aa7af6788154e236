"""The data side of the Python interface: rows from a file in one line, and a provenance."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.core.errors import DataError, RecipeError
from tunesmith.data.dataset import Dataset


@pytest.fixture
def banking(shared_data: Path) -> Dataset:
    return Dataset.read(shared_data / "cls_banking77/test.csv")


def test_a_file_is_read_in_one_line(banking: Dataset) -> None:
    assert (banking.shape, len(banking)) == ("labelled", 3080)
    assert next(banking.rows()) == {"text": "How do I locate my card?", "label": "card_arrival"}


def test_chat_and_text_are_recognised(shared_data: Path) -> None:
    chat = Dataset.read(shared_data / "chat_fastchat/dummy_conversation.json")
    assert (chat.shape, len(chat)) == ("messages", 500)
    assert next(chat.rows())["messages"][0]["content"] == "Who are you?"
    assert Dataset.read(shared_data / "text_wiki_demo/wiki_demo.txt").shape == "text"


def test_operations_leave_the_original_and_change_the_provenance(banking: Dataset) -> None:
    few = banking.take(10)
    clean = few.clean("normalise")
    assert (len(few), len(banking)) == (10, 3080)
    assert len({banking.provenance, few.provenance, clean.provenance}) == 3
    assert few.clean("normalise").provenance == clean.provenance


def test_cleaners_that_see_all_rows_clean_too(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "text,label\nthe same,A b\nThe  same,a b\nthe same,a b\nother,a b\n", "utf-8"
    )
    rows = Dataset.read(tmp_path / "a.csv").clean("merge_labels").clean("dedup")
    assert list(rows.rows()) == [{"text": "the same", "label": "a b"}, {"text": "other", "label": "a b"}]


def test_a_split_divides_all_rows(banking: Dataset) -> None:
    parts = banking.split(test=0.2, validation=0.1, seed=3)
    assert {name: len(part) for name, part in parts.items()} == {
        "train": 2156,
        "test": 616,
        "validation": 308,
    }
    again = banking.split(test=0.2, validation=0.1, seed=3)
    assert again["test"].frame.equals(parts["test"].frame)
    assert "validation" not in banking.split(test=0.2)


def test_rows_that_ask_the_same_are_in_one_part(tmp_path: Path) -> None:
    rows = [f"row {i % 50} is here,{'ab'[i % 2]}" for i in range(100)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *rows]), "utf-8")
    parts = Dataset.read(tmp_path / "a.csv").split(test=0.2)
    assert len(parts["test"]) == 20
    assert not {*parts["test"].frame["text"]} & {*parts["train"].frame["text"]}


def test_mistakes_are_errors(banking: Dataset, shared_data: Path) -> None:
    with pytest.raises(RecipeError):
        banking.clean("normalize")
    with pytest.raises(DataError) as caught:
        Dataset.read(shared_data / "cls_banking77/test.csv", fields={"text": "txt"})
    assert caught.value.problems[0].code == "D06"
