"""Rows with several labels: found in the file, learned label by label, measured, asked and served as such."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

import tunesmith
from tunesmith.models import loading
from tunesmith.models.resolve import resolve
from tunesmith.serve.deployment import deploy
from tunesmith.serve.server import serving

WORDS = {"card": ("card", "pin"), "money": ("top", "exchange", "rate")}


@pytest.fixture
def labelled(desk: Any, bert: Any, rows: list[tuple[str, str]]) -> Any:
    """Questions to a bank, labelled by whether they speak of cards and of money."""
    told = []
    for text, intent in rows:
        labels = [label for label, words in WORDS.items() if any(word in intent for word in words)]
        labels += ["question"] if text.endswith("?") else []
        told.append(json.dumps({"text": text, "labels": labels}))
    (desk.folder / "rows.jsonl").write_text("\n".join(told), encoding="utf-8")
    bert.values["data"] = {"source": "rows.jsonl", "split": {"test": 0.2, "validation": 0.1}}
    bert.values["publish"] = {"name": "many"}
    return bert


def test_a_run_learns_measures_and_answers_several_labels(labelled: Any, capsys: Any) -> None:
    plan = labelled.plan("train.epochs=12", "train.optimizer.lr=5e-3")
    assert plan.recipe.train.loss.name == "bce"
    result = labelled.run("train.epochs=12", "train.optimizer.lr=5e-3")
    assert result["scores"].keys() == {"micro_f1", "macro_f1", "subset_accuracy"}
    assert result["scores"]["micro_f1"] > result["baselines"]["label_shares"]["micro_f1"]
    model = loading.load(resolve("many", labelled.workspace))
    assert isinstance(model, tunesmith.TextClassifier)
    assert model.labels == ("card", "money", "question")
    shares = model.predict(["Is my card here?"])[0]
    assert model.tags("Is my card here?") == [
        tuple(label for label, share in zip(model.labels, shares, strict=True) if share >= 0.5)
    ]
    report = tunesmith.evaluate("many", labelled.folder / "rows.jsonl", workspace=labelled.workspace)
    assert report.scores["micro_f1"] > 0.5
    with serving([deploy(model, name="many")]) as url:
        body = {"model": "many", "input": "Is my card here?"}
        answer = httpx.post(f"{url}/v1/classify", json=body).json()["data"][0]
    assert tuple(answer["labels"]) == model.tags("Is my card here?")[0]
    assert answer["probabilities"].keys() == set(model.labels)


def test_the_linear_model_and_losses_of_other_targets_are_refused(labelled: Any) -> None:
    for override in ("model=tfidf", "train.loss=dpo"):
        with pytest.raises(tunesmith.TunesmithError, match=r"R13|T30"):
            labelled.plan(override)


def test_a_file_of_single_labels_is_learned_as_before(bert: Any) -> None:
    assert bert.plan().task.shape == "labelled"
    assert bert.plan().recipe.train.loss.name == "cross_entropy"
