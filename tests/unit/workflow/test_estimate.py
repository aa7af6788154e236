"""What a run will take is told by carrying it out in small, and nothing of that is left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunesmith.workflow import parts
from tunesmith.workflow.estimate import estimate


def files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def test_all_stages_are_counted_and_the_run_is_the_same_as_without(chat: Any, weights: Any) -> None:
    chat.values["train"] |= {"epochs": 0.5}
    chat.values["prompt"] = {"max_new_tokens": 4}
    silent = chat.run()
    alone = weights(chat.plan().run.model)
    chat.workspace = type(chat.workspace)(chat.folder / "another")
    plan = chat.plan()
    found = estimate(plan, plan.candidates[0], parts.make(plan))
    assert min(found.training.seconds, found.training.cpu, found.judging.seconds) > 0
    left = files(plan.workspace.root)
    assert not [path for path in left if path.suffix == ".safetensors"], "all is thrown away but encoded rows"
    assert chat.run()["scores"] == silent["scores"]
    assert weights(plan.run.model) == alone


def test_texts_that_are_written_are_judged_as_a_run_judges_them(chat: Any) -> None:
    model = {"architecture": "transformer", "hidden": 32, "layers": 1, "heads": 2, "vocab": 600}
    data = {"source": "talks.json", "fields": {"source": "instruction", "target": "output"}, "max_length": 24}
    chat.values |= {"task": "translate", "model": model, "data": data, "train": {"epochs": 1}}
    del chat.values["prompt"]
    plan = chat.plan()
    found = estimate(plan, plan.candidates[0], parts.make(plan))
    # Beams and the baselines take longer than the two steps there are.
    assert found.judging.cpu > 0
    assert found.training.cpu > 0
