"""Tiny models that learn real rows in milliseconds: banking questions and alpaca conversations."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from tunesmith.core import components
from tunesmith.core.events import Event
from tunesmith.core.recipe import Scratch, Train
from tunesmith.tasks.task import Example, Learner, Start, Task
from tunesmith.train.loop import Readers
from tunesmith.train.loop import train as loop
from tunesmith.train.parallel import ALONE


@dataclass(frozen=True, kw_only=True)
class Work:
    """Something to learn, and a way to get an untrained learner of it."""

    task: Task
    frame: pl.DataFrame
    build: Callable[[], Learner]
    examples: list[Example]
    learner: Learner

    def train(self, folder: Path, learner: Learner | None = None, **settings: Any) -> Iterator[Event]:
        """Train from the newest checkpoint in `folder`."""
        stop = settings.pop("stop", lambda: False)
        clock = settings.pop("clock", lambda: 0.0)
        group = settings.pop("group", ALONE)
        return loop(
            learner or self.build(),
            self.task,
            self.examples,
            settings=Train(**{"batch_size": 8, "epochs": 2, "precision": "float32", **settings}),
            seed=3,
            folder=folder,
            readers=Readers(evaluate=lambda: {"accuracy": 0.5}, stop=stop, clock=clock),
            group=group,
        )


def work(name: str, frame: pl.DataFrame, architecture: str, labels: Sequence[str] = ()) -> Work:
    task: Task = components.tasks.get(name)()
    size = Scratch(architecture=architecture, hidden=32, layers=2, heads=2, vocab=400, context=96)  # type: ignore[arg-type]
    start = Start(source=size, texts=task.texts(frame), labels=tuple(labels), seed=1, context=96)

    def build() -> Learner:
        return task.build(start, lambda own, tokens: own)

    learner = build()
    return Work(task=task, frame=frame, build=build, examples=task.encode(frame, learner)[0], learner=learner)


@pytest.fixture(scope="session")
def classify(shared_data: Path) -> Work:
    """Five rows of each of six intents, on an encoder with dropout."""
    with (shared_data / "cls_banking77" / "train.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for i, row in enumerate(csv.DictReader(file)) if i % 25 == 0][:30]
    frame = pl.DataFrame(
        {"_row": range(len(rows)), "text": [r["text"] for r in rows], "label": [r["category"] for r in rows]}
    )
    return work("classify", frame, "bert", sorted(frame["label"].unique()))


@pytest.fixture(scope="session")
def chat(shared_data: Path) -> Work:
    """Sixteen short conversations in Chinese and English, on a decoder."""
    folder = shared_data / "sft_alpaca_demo"
    rows = [
        row
        for name in ("alpaca_en_demo.json", "alpaca_zh_demo.json")
        for row in sorted(json.loads((folder / name).read_text("utf-8")), key=lambda row: len(row["output"]))[
            2:10
        ]
    ]
    talks = [
        [{"role": "user", "content": r["instruction"]}, {"role": "assistant", "content": r["output"]}]
        for r in rows
    ]
    frame = pl.DataFrame({"_row": range(len(talks)), "messages": talks, "tools": [None] * len(talks)})
    return work("chat", frame, "llama")


@pytest.fixture(scope="session")
def embed(shared_data: Path) -> Work:
    """Sixteen instructions and what answers them, on an encoder with dropout."""
    file = shared_data / "sft_alpaca_demo" / "alpaca_en_demo.json"
    rows = sorted(json.loads(file.read_text("utf-8")), key=lambda row: len(row["output"]))[2:18]
    sides = {"source": [r["instruction"] for r in rows], "target": [r["output"] for r in rows]}
    return work("embed", pl.DataFrame({"_row": range(len(rows)), **sides}), "bert")


@pytest.fixture(scope="session")
def rated(chat: Work) -> Work:
    """Answers of the conversations beside those of the next ones.

    The model finds an answer to another prompt likelier than its reference did, by the number of the row.
    """
    talks = chat.frame["messages"].to_list()
    after = [*talks[1:], talks[0]]
    sides = {
        "prompt": [talk[:1] for talk in talks],
        "chosen": [talk[1:] for talk in talks],
        "rejected": [talk[1:] for talk in after],
    }
    nothing = [None] * len(talks)
    made = work("prefer", pl.DataFrame({"_row": range(len(talks)), **sides, "tools": nothing}), "llama")
    rows = [replace(one, other=made.examples[place - 1]) for place, one in enumerate(made.examples)]
    task: Any = made.task
    known = task.reference(made.learner, rows, drift=True)
    known[:, 2] -= np.arange(len(rows))
    return replace(
        made, examples=[replace(one, reference=tuple(x)) for one, x in zip(rows, known, strict=True)]
    )


@pytest.fixture(params=["classify", "chat"])
def any_work(request: pytest.FixtureRequest) -> Work:
    """Each of them."""
    found: Work = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def state() -> Callable[[Learner], dict[str, torch.Tensor]]:
    """A copy of all weights."""
    return lambda learner: {k: v.detach().clone() for k, v in learner.module.state_dict().items()}
