"""Untrained models of two kinds, and rows for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tunesmith.core.recipe import Scratch
from tunesmith.models.resolve import Resolved
from tunesmith.tasks.task import Learner, Start, Task

TEXTS = (
    "The parcel is late.",
    "快递三天没动了，什么时候能到？",
    "I was charged twice!",
    "怎么多扣了我一笔钱？",
)


@pytest.fixture
def build() -> Callable[..., Learner]:
    """A learner of a task from nothing."""

    def make(task: Task, architecture: Any, *, context: int = 64, labels: tuple[str, ...] = ()) -> Learner:
        size = Scratch(architecture=architecture, hidden=32, layers=2, heads=2, vocab=400, context=64)
        start = Start(source=size, texts=TEXTS * 3, labels=labels, seed=1, context=context)
        return task.build(start, lambda own, tokens: own)

    return make


@pytest.fixture
def stories(shared_data: Path) -> Resolved:
    """A small language model on disk."""
    return Resolved(name="stories", folder=shared_data / "weights" / "stories260K-hf")


@pytest.fixture
def give_values() -> Callable[[torch.nn.Module], None]:
    """Give adapters and heads values, as training does."""

    def change(module: torch.nn.Module) -> None:
        torch.manual_seed(2)
        for parameter in module.parameters():
            if parameter.requires_grad:
                torch.nn.init.normal_(parameter, std=0.1)

    return change
