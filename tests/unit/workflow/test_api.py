"""The Python interface: run, load, evaluate, as a program uses them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tunesmith
from tunesmith.core.errors import DataError, ModelError, NotFoundError
from tunesmith.eval.classes import clip


def test_three_lines_from_rows_to_answers(desk: Any) -> None:
    desk.values["publish"] = {"name": "router"}
    result = tunesmith.run(desk.recipe, workspace=desk.workspace.root)
    model: Any = tunesmith.load(result["release"], workspace=desk.workspace.root)
    assert model.classify("Why has my top up failed?") == ["top_up_failed"]


def test_a_recipe_can_be_made_in_python(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.folder)
    recipe = tunesmith.Recipe.model_validate(desk.values)
    result = tunesmith.run(recipe, name="own")
    assert result["run"].startswith("own-")
    assert tunesmith.run(recipe, name="own") == result
    assert Path(result["path"]).is_relative_to(desk.folder / ".tunesmith")


def test_keys_can_be_overridden(desk: Any) -> None:
    assert "gate" in tunesmith.run(
        desk.recipe, overrides=["eval.gate={accuracy: {at_least: 0.1}}"], workspace=desk.workspace
    )


def test_a_model_is_measured_on_any_rows(desk: Any, write: Any, rows: list[tuple[str, str]]) -> None:
    desk.values["publish"] = {"name": "router"}
    desk.run()
    other = write(rows[::4], "other.csv")
    report = tunesmith.evaluate("router", other, workspace=desk.workspace)
    assert report.rows == 20
    assert report.scores["accuracy"] > 0.7
    model: Any = tunesmith.load("router", workspace=desk.workspace)
    right = sum(model.classify(text) == [label] for text, label in rows[::4])
    assert report.scores["accuracy"] == pytest.approx(right / 20)


def test_a_language_model_is_measured_too(chat: Any, write: Any, rows: list[tuple[str, str]]) -> None:
    model = chat.values["model"]
    report = tunesmith.evaluate(model, chat.folder / "talks.json", task="chat", workspace=chat.workspace)
    assert report.scores["perplexity"] > 1
    with pytest.raises(ModelError) as caught:
        tunesmith.evaluate(model, write(rows), task="classify", workspace=chat.workspace)
    assert caught.value.problems[0].code == "M14"


def test_what_a_chat_model_writes_is_measured_where_one_asks_for_it(chat: Any) -> None:
    source = chat.folder / "talks.json"
    metrics = ["json_valid", "length_ratio"]
    report = tunesmith.evaluate(
        chat.values["model"], source, task="chat", metrics=metrics, workspace=chat.workspace
    )
    assert set(metrics) < set(report.scores)
    assert "perplexity" not in report.scores
    model: Any = tunesmith.load(chat.values["model"], workspace=chat.workspace)
    shown = report.samples[0]
    alone = model.chat(shown.prompt, temperature=0.0)
    assert clip(alone) == shown.answer


def test_what_cannot_be_measured_is_told(desk: Any) -> None:
    desk.values["publish"] = {"name": "router"}
    desk.run()
    with pytest.raises(NotFoundError):
        tunesmith.evaluate("router", desk.folder / "gone.csv", workspace=desk.workspace)
    with pytest.raises(DataError):
        tunesmith.evaluate(
            "router", desk.folder / "tickets.csv", metrics=["perplexity"], workspace=desk.workspace
        )


def test_a_base_cannot_answer_and_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        tunesmith.load("tfidf", workspace=tmp_path)
    assert caught.value.problems[0].code == "M13"
