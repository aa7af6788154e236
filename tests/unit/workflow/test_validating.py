"""What a model writes in the middle of its training is told, and training goes on as if nobody had asked."""

from __future__ import annotations

from typing import Any

import pytest

from tunesmith.core.events import Evaluated, Event, Sampled, Step
from tunesmith.workflow import validating
from tunesmith.workflow.validating import Validation

SIZE = {"hidden": 32, "layers": 1, "heads": 2, "vocab": 600}


def told(events: list[Event]) -> list[tuple[int, float, float]]:
    return [(e.step, e.loss, e.grad_norm) for e in events if isinstance(e, Step)]


def test_answers_are_told_and_change_neither_the_curve_nor_the_weights(
    chat: Any, weights: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat.values["train"] |= {"epochs": 2, "evaluate_every": 2}
    asked = chat.events()
    model = weights(chat.plan().run.model)
    said = [event for event in asked if isinstance(event, Sampled)]
    assert [event.step for event in said] == [e.step for e in asked if isinstance(e, Evaluated)]
    assert all(answer.prompt and answer.expected for answer in said[0].samples)
    # The same questions each time, and they are in the log as they were told.
    assert len({tuple(answer.prompt for answer in event.samples) for event in said}) == 1
    assert said == [event for event in chat.plan().run.events.read() if isinstance(event, Sampled)]

    chat.workspace = type(chat.workspace)(chat.folder / "another")
    monkeypatch.setattr(Validation, "answers", lambda self: [])
    silent = chat.events()
    assert not any(isinstance(event, Sampled) for event in silent)
    assert told(silent) == told(asked)
    assert weights(chat.plan().run.model) == model


@pytest.mark.faults
def test_a_text_is_continued_from_its_beginning(chat: Any) -> None:
    chat.values |= {"task": "generate", "train": {"epochs": 1, "batch_size": 8}}
    chat.values["data"]["fields"] = {"text": "output"}
    del chat.values["prompt"]
    (answer, *_) = next(event for event in chat.events() if isinstance(event, Sampled)).samples
    assert answer.expected
    assert answer.prompt not in answer.expected


def test_the_best_weights_can_be_chosen_by_what_is_written_for_a_few_rows(
    chat: Any, shared_data: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validating, "WRITTEN", 2)
    lines = (shared_data / "sum_csl_zh" / "ts_dev.tsv").read_text("utf-8").splitlines()
    (chat.folder / "papers.tsv").write_text("\n".join(sorted(lines, key=len)[:30]) + "\n", "utf-8")
    data = {"source": "papers.tsv", "fields": {"source": "column_2", "target": "column_3"}}
    train = {"epochs": 2, "batch_size": 8, "metric": "rouge_l", "keep": "best"}
    model = {"architecture": "transformer", "context": 32, **SIZE}
    chat.values |= {"task": "summarise", "data": data, "model": model, "train": train}
    del chat.values["prompt"]
    events = chat.events("data.split.validation=0.2")
    assert {"rouge_l", "rouge_1"} <= set(next(e for e in events if isinstance(e, Evaluated)).scores)
    assert [len(event.samples) for event in events if isinstance(event, Sampled)] == [2, 2]
