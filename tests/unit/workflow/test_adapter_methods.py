"""Adapters of every kind are trained by a recipe, and answer as they were trained wherever they are used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tunesmith
from tunesmith.core.errors import ModelError
from tunesmith.workflow import exporting

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
QUESTION = "Tell me a story about a cat."


@pytest.fixture
def short(chat: Any) -> Any:
    """A run of a few steps that changes what is said."""
    chat.values["publish"] = {"name": "assistant"}
    rows = json.loads((chat.folder / "talks.json").read_text("utf-8"))
    (chat.folder / "talks.json").write_text(json.dumps(rows[:12]), "utf-8")
    chat.values["train"] |= {"epochs": 1, "optimizer": {"name": "adamw", "lr": 3e-2}}
    return chat


def said(model: Any) -> str:
    answer: str = model.chat(QUESTION, max_new_tokens=16)
    return answer


@pytest.mark.faults
def test_an_adapter_answers_and_scores_the_same_folded_in(short: Any, tmp_path: Path) -> None:
    result = short.run("train.method=dora")
    model = tunesmith.load("assistant", workspace=short.workspace)
    assert said(model) != said(tunesmith.load(short.values["model"], workspace=short.workspace))
    made = exporting.export(
        "assistant", short.workspace, tmp_path / "whole", data=short.folder / "talks.json"
    )
    assert made.agreement == 1.0
    assert said(tunesmith.load(tmp_path / "whole", workspace=short.workspace)) == said(model)
    assert result["scores"]["perplexity"] > 1


@pytest.mark.faults
def test_a_prompt_answers_but_is_neither_exported_nor_trained_further(short: Any, tmp_path: Path) -> None:
    method = "train.method={name: prompt_tuning, length: 6}"
    short.run(method)
    model = tunesmith.load("assistant", workspace=short.workspace)
    base = tunesmith.load(short.values["model"], workspace=short.workspace)
    assert said(model) != said(base)
    for to in ("safetensors", "gguf"):
        with pytest.raises(ModelError) as caught:
            exporting.export("assistant", short.workspace, tmp_path / to, to=to)
        assert caught.value.problems[0].code == "M58"
    with pytest.raises(ModelError) as caught:
        short.run("train.method=lora", "model=assistant@1")
    assert caught.value.problems[0].code == "M58"
