"""Numbers and rewards: learned, measured, saved, asked and served."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tunesmith
from tunesmith.core.errors import DataError
from tunesmith.models import loading
from tunesmith.models.resolve import resolve
from tunesmith.serve.client import Client
from tunesmith.serve.deployment import deploy
from tunesmith.serve.server import serving


@pytest.fixture
def numbers(bert: Any, rows: list[tuple[str, str]]) -> Any:
    """Questions to a bank and how many words they have, far from 0."""
    with (bert.folder / "words.csv").open("w", encoding="utf-8", newline="") as file:
        told = [(text, 100 + len(text.split())) for text, _ in rows]
        csv.writer(file).writerows([("text", "score"), *told])
    bert.values |= {"task": "score", "publish": {"name": "words"}}
    bert.values["data"] = {"source": "words.csv", "split": {"test": 0.2, "validation": 0.1}}
    return bert


def test_numbers_are_learned_in_their_own_units(numbers: Any) -> None:
    result = numbers.run("train.epochs=6")
    assert result["scores"].keys() == {"spearman", "pearson", "mae"}
    assert result["baselines"].keys() == {"mean_score", "tfidf_ridge"}
    # Without units the first numbers would be near 0.
    assert result["scores"]["mae"] < 2 * result["baselines"]["mean_score"]["mae"]
    model = loading.load(resolve("words", numbers.workspace))
    assert isinstance(model, tunesmith.TextScorer)
    found = model.score(["Where is my card?", "Why?"])
    assert (abs(found - 110) < 25).all()
    with serving([deploy(model)]) as url, Client(url) as client:
        np.testing.assert_allclose(client.score(["Where is my card?", "Why?"]), found, rtol=1e-5)
    report = tunesmith.evaluate("words", numbers.folder / "words.csv", workspace=numbers.workspace)
    assert report.rows == 80


def test_a_score_that_is_no_number_is_told_with_its_line(numbers: Any) -> None:
    file = numbers.folder / "words.csv"
    with file.open("a", encoding="utf-8") as lines:
        lines.write("Hello there,many\n")
    numbers.values["data"]["fields"] = {"text": "text", "score": "score"}
    with pytest.raises(DataError, match="D77") as caught:
        numbers.run()
    assert caught.value.problems[0].line == 82


def test_the_better_answer_gets_the_larger_reward(bert: Any, shared_data: Path) -> None:
    folder = shared_data / "pref_llamafactory_demo"
    rows = json.loads((folder / "dpo_en_demo.json").read_text("utf-8"))[:24]
    (bert.folder / "pairs.json").write_text(json.dumps(rows), encoding="utf-8")
    bert.values |= {"task": "score", "publish": {"name": "reward"}}
    bert.values["data"] = {"source": "pairs.json", "split": {"test": 0.2, "validation": 0}}
    assert bert.plan().recipe.train.loss.name == "bradley_terry"
    result = bert.run("train.epochs=1")
    assert result["scores"].keys() == {"preference_accuracy", "reward_margin"}
    assert result["baselines"].keys() == {"longer"}
    model = loading.load(resolve("reward", bert.workspace))
    assert isinstance(model, tunesmith.TextScorer)
    talk = [{"role": "user", "content": "Hello!"}, {"role": "assistant", "content": "Good day."}]
    assert model.judge([talk]).tolist() == model.score("user: Hello!\nassistant: Good day.").tolist()
    report = tunesmith.evaluate("reward", bert.folder / "pairs.json", workspace=bert.workspace)
    assert report.scores.keys() == {"preference_accuracy", "reward_margin"}
