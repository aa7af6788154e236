"""Distillation is torch's divergence and cross-entropy, of all logits at once or a tile of them at a time."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tunesmith.models import loading
from tunesmith.models.backbone import Backbone, Generic, Head
from tunesmith.models.resolve import Resolved
from tunesmith.tasks import taught
from tunesmith.tasks.generate import Generate
from tunesmith.tasks.task import Learner, Start
from tunesmith.tasks.token_losses import weighted_loss
from tunesmith.train.backbones import frozen
from tunesmith.train.distillation import kl

ROWS, WIDTH, VOCAB = 300, 12, 37  # two tiles


class Told:
    """A teacher whose hidden states are known."""

    def __init__(self, hidden: Tensor, head: nn.Linear) -> None:
        self._hidden = hidden
        self.head = Head(head, tuple(head.parameters()))
        self.computing = torch.no_grad

    def hidden(self, rows: object, at: Tensor) -> Tensor:
        return self._hidden[at]


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_value_and_gradients_are_those_of_all_logits_by_torch(alpha: float) -> None:
    generator = torch.Generator().manual_seed(7)
    student, teacher = (torch.randn(ROWS, WIDTH, generator=generator) for _ in range(2))
    student.requires_grad_()
    head, other = nn.Linear(WIDTH, VOCAB), nn.Linear(WIDTH, VOCAB + 3)  # padded further than the student's
    target = torch.randint(VOCAB, (ROWS,), generator=generator)
    weights = torch.rand(ROWS, generator=generator)
    loss = partial(kl, teacher="t", temperature=1.7, alpha=alpha)
    told: object = Told(teacher, other)
    compared = taught.compared(loss, told, [], torch.arange(ROWS), target)  # type: ignore[arg-type]
    numbers = torch.arange(ROWS)
    found = weighted_loss(Head(head, tuple(head.parameters())), student, numbers, weights, compared)

    said = other(teacher).detach()[:, :VOCAB]
    divergence = functional.kl_div(
        (head(student) / 1.7).log_softmax(-1), (said / 1.7).softmax(-1), reduction="none"
    ).sum(-1)
    usual = functional.cross_entropy(head(student), target, reduction="none")
    whole = ((alpha * 1.7**2 * divergence + (1 - alpha) * usual) * weights).sum()
    torch.testing.assert_close(found, whole, rtol=1e-6, atol=1e-6)
    learned = [student, *head.parameters()]
    for mine, theirs in zip(
        torch.autograd.grad(found, learned), torch.autograd.grad(whole, learned), strict=True
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-6)
    assert all(parameter.grad is None for parameter in other.parameters())


def test_a_teacher_that_says_the_same_teaches_nothing() -> None:
    logits = torch.randn(5, 9, generator=torch.Generator().manual_seed(1), requires_grad=True)
    loss = kl(logits, torch.zeros(5, dtype=torch.long), logits.detach(), teacher="t", alpha=1.0)
    loss.sum().backward()
    torch.testing.assert_close(loss.detach(), torch.zeros(5))
    torch.testing.assert_close(logits.grad, torch.zeros(5, 9))


def test_a_frozen_model_is_fast_where_it_is_covered_and_says_what_its_own_code_says(chat: object) -> None:
    module = chat.build().backbone  # type: ignore[attr-defined]
    row = np.arange(5, 25)
    found = frozen(module, "float32", row)
    assert not isinstance(found, Generic)
    assert not any(parameter.requires_grad for parameter in module.parameters())
    torch.testing.assert_close(found.hidden([row]), Generic(module, speaks=True).hidden([row]))


def test_a_student_comes_nearer_to_its_teacher_than_one_that_never_met_it(shared_data: Path) -> None:
    teller = shared_data / "weights" / "stories260K-hf"
    teacher = frozen(loading.language_module(teller), "float32", np.arange(5, 25))
    found = json.loads((shared_data / "sft_alpaca_demo" / "alpaca_en_demo.json").read_text("utf-8"))
    texts = sorted((row["output"] for row in found if len(row["output"]) > 60), key=len)[:40]
    frame = pl.DataFrame({"_row": range(len(texts)), "text": texts})
    near, far = (_apart(teacher, _student(teller, teacher, frame, alpha)) for alpha in (1.0, 0.0))
    assert near < 0.8 * far


def _student(teller: Path, teacher: Backbone, frame: pl.DataFrame, alpha: float) -> Learner:
    """A decoder from nothing with the tokens of its teacher, after some steps on all but the last rows."""
    torch.manual_seed(5)
    task = Generate()
    start = Start(source=Resolved(name="t", folder=teller), texts=(), labels=(), seed=1, context=64)
    learner = replace(task.build(start, lambda own, tokens: own), teacher=teacher)
    for parameter in learner.module.parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.05)
    examples, _ = task.encode(frame, learner)
    optimizer = torch.optim.AdamW(learner.module.parameters(), lr=1e-2)
    loss = partial(kl, alpha=alpha, temperature=1.0)
    for step in range(24):
        chosen = examples[step * 4 % 32 :][:4]
        whole = task.objective(learner, Generic(learner.module, speaks=True), chosen, loss)
        (whole / sum(example.targets for example in chosen)).backward()
        optimizer.step()
        optimizer.zero_grad()
    return learner


def _apart(teacher: Backbone, student: Learner) -> float:
    """The divergence of a student from its teacher on a text of neither's, in nats for a token."""
    ids = np.array(student.tokenizer.encode("Once upon a time there was a little girl. She had a dog.").ids)
    with torch.no_grad():
        said, wanted = (
            which.head.project(which.hidden([ids])).log_softmax(-1)
            for which in (Generic(student.module, speaks=True), teacher)
        )
    return float(functional.kl_div(said, wanted, log_target=True, reduction="batchmean"))
