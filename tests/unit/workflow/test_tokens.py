"""Kept tokens: equal to encoding afresh, reused by the next run, made anew when they are damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunesmith.tasks.chat import Chat
from tunesmith.tasks.classify import Classify
from tunesmith.workflow import parts as data
from tunesmith.workflow import tokens, training


@pytest.fixture(params=["bert", "chat"])
def any_desk(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def count_rows(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows every call of `encode` from now on gets."""
    seen: list[int] = []
    for task in (Chat, Classify):
        encode = task.encode

        def counted(self: Any, frame: Any, learner: Any, encode: Any = encode) -> Any:
            seen.append(frame.height)
            return encode(self, frame, learner)

        monkeypatch.setattr(task, "encode", counted)
    return seen


def test_kept_tokens_are_those_of_encoding_afresh_however_they_are_sliced(
    any_desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_SLICE", 7)
    plan = any_desk.plan("data.on_error=drop")
    parts = data.make(plan)
    learner, encoded = training.learner_of(plan, plan.candidates[0], parts)
    fresh, cut = plan.task.encode(parts.split("train"), learner)
    fresh = [example for example in fresh if example.targets]
    assert len(encoded.train) == len(fresh)
    assert encoded.truncated == {row: lost for row, lost in cut.items() if row in {e.row for e in fresh}}
    for a, b in zip(encoded.train, fresh, strict=True):
        assert (a.row, a.weight) == (b.row, b.weight)
        assert np.array_equal(a.ids, b.ids)
        assert np.array_equal(a.target, b.target)


def test_a_run_with_another_learning_rate_encodes_nothing(
    any_desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = count_rows(monkeypatch)
    any_desk.run("train.epochs=0.2", "data.on_error=drop")
    assert sum(seen) > 0
    seen.clear()
    any_desk.run("train.epochs=0.2", "data.on_error=drop", "train.optimizer={name: adamw, lr: 0.001}")
    assert seen == []


@pytest.mark.parametrize("change", ["data.max_length=120", "prompt.system=Be brief.", "seed=5"])
def test_what_changes_tokens_encodes_anew(chat: Any, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    chat.run("train.epochs=0.2", "data.on_error=drop")
    seen = count_rows(monkeypatch)
    chat.run("train.epochs=0.2", "data.on_error=drop", change)
    assert sum(seen) > 0


def test_damaged_tokens_are_made_again(bert: Any, weights: Any) -> None:
    bert.run()
    whole = weights(bert.plan().run.model)
    kept = sorted(bert.workspace.cache.glob("tokens-*/ids.npy"))
    assert kept
    for file in kept:
        file.write_bytes(file.read_bytes()[:-1] + b"\x07")
    for folder in (*bert.workspace.cache.glob("train-*"), bert.plan().run.path):
        remove(folder)
    bert.run()
    assert weights(bert.plan().run.model) == whole


def remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()
