"""One step: the gradient is that of the batch's mean loss, however the batch is cut and padded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tunesmith.core import components
from tunesmith.core.recipe import Train
from tunesmith.models.backbone import Generic
from tunesmith.tasks.examples import common_beginning
from tunesmith.tasks.task import Example
from tunesmith.train import backbones
from tunesmith.train.backbones.choice import Choice
from tunesmith.train.backbones.packing import SHARED_FROM, pack
from tunesmith.train.guard import BadStepError
from tunesmith.train.losses import cross_entropy
from tunesmith.train.methods import lora
from tunesmith.train.preferences import kto
from tunesmith.train.stepper import Stepper

LARGE = 1_000_000


def stepper(work: Any, examples: Sequence[Example] | None = None, **settings: Any) -> Stepper:
    made = Train(**{"batch_size": 8, "precision": "float32", "epochs": 1, **settings})
    return Stepper(work.build(), work.task, examples or work.examples, made, seed=3)


def gradients(
    work: Any, monkeypatch: pytest.MonkeyPatch, **settings: Any
) -> tuple[float, dict[str, torch.Tensor]]:
    """The loss and gradients of the first step, before they are used; without dropout."""
    made = stepper(work, **settings)
    learn = type(made.module).train
    monkeypatch.setattr(made.module, "train", lambda mode=True: learn(made.module, False))
    monkeypatch.setattr(made.optimizer, "step", lambda: None)
    monkeypatch.setattr(made.optimizer, "zero_grad", lambda: None)
    step = made.step(0)
    return step.loss, {name: p.grad.clone() for name, p in made.parameters.items() if p.grad is not None}


@pytest.mark.parametrize("tokens", [16, 64, 200])
def test_the_gradient_does_not_depend_on_the_size_of_the_parts(
    any_work: Any, monkeypatch: pytest.MonkeyPatch, tokens: int
) -> None:
    whole_loss, whole = gradients(any_work, monkeypatch, micro_batch_tokens=LARGE, clip=1e9)
    loss, parts = gradients(any_work, monkeypatch, micro_batch_tokens=tokens, clip=1e9)
    assert loss == pytest.approx(whole_loss, rel=1e-5)
    assert parts.keys() == whole.keys()
    for name, value in parts.items():
        torch.testing.assert_close(value, whole[name], rtol=0, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")


def test_rows_are_mixed_with_the_same_others_whatever_the_size_of_the_parts(
    classify: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes = {"clip": 1e9, "mixup": 0.4}
    whole_loss, whole = gradients(classify, monkeypatch, micro_batch_tokens=LARGE, **wishes)
    loss, parts = gradients(classify, monkeypatch, micro_batch_tokens=64, **wishes)
    assert loss == pytest.approx(whole_loss, rel=1e-5)
    for name, value in parts.items():
        torch.testing.assert_close(value, whole[name], rtol=0, atol=1e-5)
    plain, _ = gradients(classify, monkeypatch, clip=1e9)
    assert abs(plain - loss) > 1e-4


def test_the_drift_is_that_of_a_step_whatever_the_size_of_the_parts(
    rated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def watched(pairs: Any) -> torch.Tensor:
        seen.append(float(pairs.drift))
        return kto(pairs)

    monkeypatch.setattr(components.losses, "get", lambda name: watched)
    # The drift of a row is its number.
    drift = stepper(rated, loss="kto").batches.at(0).mean()
    whole_loss, whole = gradients(rated, monkeypatch, micro_batch_tokens=LARGE, clip=1e9, loss="kto")
    assert seen[-1] == pytest.approx(drift, rel=1e-4)
    loss, parts = gradients(rated, monkeypatch, micro_batch_tokens=64, clip=1e9, loss="kto")
    assert seen[-3:] == pytest.approx([drift] * 3, rel=1e-4)
    assert loss == pytest.approx(whole_loss, rel=1e-5)
    for name, value in parts.items():
        torch.testing.assert_close(value, whole[name], rtol=0, atol=1e-5)
    assert sum(float(value.abs().sum()) for value in whole.values()) > 0


def test_rows_that_begin_alike_are_computed_together_as_they_are_apart(
    chat: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = chat.examples[0].ids[:20]
    rows = [
        replace(
            row,
            ids=np.concatenate([system, row.ids[:76]]),
            target=np.concatenate([np.zeros(20, np.bool_), row.target[:76]]),
        )
        for row in chat.examples
    ]
    alike = replace(chat, examples=rows)
    assert 0 < common_beginning(chat.examples) < SHARED_FROM
    assert (stepper(chat).shared, stepper(alike).shared) == (0, 20 + common_beginning(chat.examples))
    whole_loss, whole = gradients(alike, monkeypatch, micro_batch_tokens=LARGE, clip=1e9)
    computed = []
    objective = type(chat.task).objective
    monkeypatch.setattr(
        type(chat.task), "objective", lambda *given: computed.append(given[3]) or objective(*given)
    )
    loss, found = gradients(alike, monkeypatch, micro_batch_tokens=200, clip=1e9)
    assert loss == pytest.approx(whole_loss, rel=1e-5)
    for name, value in found.items():
        torch.testing.assert_close(value, whole[name], rtol=0, atol=1e-5)
    # The first two calls are those by which the backbone was chosen.
    laid = [pack([row.ids for row in part], causal=True).ids.numel() for part in computed[2:]]
    assert max(laid) <= 200 < max(sum(len(row.ids) for row in part) for part in computed[2:])


def test_what_rows_begin_with_is_computed_once_only_where_a_teacher_does_so_too(chat: Any) -> None:
    learner = chat.build()
    alike = [replace(row, ids=np.r_[chat.examples[0].ids[:20], row.ids[20:]]) for row in chat.examples[:8]]
    given = Train(precision="float32", loss="kl")  # type: ignore[arg-type]
    made = [
        Stepper(replace(learner, teacher=teacher), chat.task, alike, given, seed=3)
        for teacher in (stepper(chat).backbone, Generic(learner.backbone, speaks=True))
    ]
    assert [(one.shared >= 20, one.pads) for one in made] == [(True, False), (False, True)]


def test_padding_counts_where_rows_are_padded(chat: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = Choice(backbone=Generic(chat.learner.backbone, speaks=True))
    monkeypatch.setattr(backbones, "choose", lambda *_: chosen)
    computed: list[Any] = []
    objective = Stepper.objective
    monkeypatch.setattr(Stepper, "objective", lambda *given: computed.append(given[1]) or objective(*given))
    stepper(chat, micro_batch_tokens=150).step(0)
    sizes = [[len(row.ids) for row in part] for part in computed]
    assert any(len(each) > 1 for each in sizes)
    assert all(len(each) * max(each) <= 150 for each in sizes if len(each) > 1)


def test_a_padded_batch_costs_what_its_rows_cost_alone(any_work: Any) -> None:
    made = stepper(any_work)
    learner, backbone = made.learner, made.backbone
    learner.module.eval()
    rows = any_work.examples[:6]
    assert len({len(row.ids) for row in rows}) > 1
    with torch.no_grad():
        together = any_work.task.objective(learner, backbone, rows, cross_entropy)
        alone = sum(any_work.task.objective(learner, backbone, [row], cross_entropy) for row in rows)
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


def test_the_loss_is_the_mean_over_the_targets(chat: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    loss, _ = gradients(chat, monkeypatch, batch_size=16)
    measured = chat.task.measure(chat.learner, chat.examples)
    assert measured["tokens"].tolist() == [row.targets for row in chat.examples]
    assert loss == pytest.approx(measured["nll"].sum() / measured["tokens"].sum(), rel=1e-4)


def weighed(work: Any, weights: Sequence[float]) -> list[Example]:
    return [replace(row, weight=weights[i % len(weights)]) for i, row in enumerate(work.examples)]


def test_the_loss_is_the_mean_by_the_weights_of_rows(any_work: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = weighed(any_work, [0.5, 2.0, 1.0])[:6]
    made = stepper(any_work)
    learner, backbone = made.learner, made.backbone
    learner.module.eval()
    with torch.no_grad():
        alone = [
            float(any_work.task.objective(learner, backbone, [replace(row, weight=1.0)], cross_entropy))
            for row in rows
        ]
    expected = sum(loss * row.weight for loss, row in zip(alone, rows, strict=True))
    expected /= sum(row.targets * row.weight for row in rows)
    loss, _ = gradients(replace(any_work, examples=rows), monkeypatch, micro_batch_tokens=64)
    assert loss == pytest.approx(expected, rel=1e-4)


def test_a_row_of_weight_two_counts_as_two_rows(classify: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = classify.examples[:2]
    twice = replace(classify, examples=[first, first, second])
    heavy = replace(classify, examples=[replace(first, weight=2.0), second])
    loss, expected = gradients(twice, monkeypatch, clip=1e9)
    found_loss, found = gradients(heavy, monkeypatch, clip=1e9)
    assert found_loss == pytest.approx(loss, rel=1e-5)
    for name, value in found.items():
        torch.testing.assert_close(value, expected[name], rtol=0, atol=1e-5)


def test_all_weights_times_the_same_power_of_two_change_no_bit(
    any_work: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss, plain = gradients(any_work, monkeypatch)
    again, halved = gradients(replace(any_work, examples=weighed(any_work, [0.5])), monkeypatch)
    assert again == loss
    assert all(torch.equal(value, plain[name]) for name, value in halved.items())


def test_a_step_says_what_happened(any_work: Any) -> None:
    made = stepper(any_work, epochs=2, schedule="linear", optimizer={"name": "adamw", "lr": 0.01})
    step = made.step(0)
    rows = made.batches.at(0)
    assert (step.step, step.steps) == (1, made.steps)
    assert step.tokens == sum(len(any_work.examples[i].ids) for i in rows)
    assert 0 < step.learning_rate < 0.01
    assert step.epoch == pytest.approx(1 / made.batches.per_epoch)
    assert step.grad_norm > 0
    assert made.step(made.steps // 2).learning_rate > made.step(made.steps - 1).learning_rate > 0


def test_the_gradient_is_clipped(chat: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = stepper(chat, clip=0.01)
    seen: list[float] = []
    update = made.optimizer.step

    def step() -> None:
        grads = [p.grad for p in made.parameters.values() if p.grad is not None]
        seen.append(float(torch.nn.utils.get_total_norm(grads)))
        update()

    monkeypatch.setattr(made.optimizer, "step", step)
    assert made.step(0).grad_norm > 0.1
    assert seen == [pytest.approx(0.01, rel=1e-3)]


def test_a_step_repeats_its_dropout_and_another_step_draws_another(classify: Any) -> None:
    made, again = (stepper(classify, [classify.examples[0]] * 24) for _ in range(2))
    first = made.step(0).loss
    torch.rand(5)
    assert again.step(0).loss == first
    # The warm-up begins at a rate of zero: the weights and the rows are still the same.
    assert made.step(1).loss != first


def test_rehearsing_takes_the_longest_rows(any_work: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = stepper(any_work)
    seen: list[int] = []
    objective = any_work.task.objective

    def watched(learner: Any, backbone: Any, rows: Sequence[Example], loss: Any) -> torch.Tensor:
        seen.extend(len(row.ids) for row in rows)
        found: torch.Tensor = objective(learner, backbone, rows, loss)
        return found

    monkeypatch.setattr(made.task, "objective", watched, raising=False)
    made.rehearse()
    assert sorted(seen) == sorted(made.lengths)[-8:]


def test_a_loss_that_is_no_number_names_the_rows_and_changes_nothing(any_work: Any) -> None:
    made = stepper(any_work, loss=f"{__name__}:broken")
    before = {name: p.detach().clone() for name, p in made.parameters.items()}
    with pytest.raises(BadStepError) as caught:
        made.step(0)
    assert caught.value.rows == sorted({any_work.examples[i].row for i in made.batches.at(0)})
    for name, value in made.parameters.items():
        assert torch.equal(value, before[name]), name


def broken(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """A loss that fails on every row."""
    return cross_entropy(logits, target) * float("nan")


def test_lora_trains_its_adapters_and_the_head_of_a_classifier(classify: Any) -> None:
    learner = classify.build()
    lora(learner.backbone, rank=2)
    made = Stepper(learner, classify.task, classify.examples, Train(), seed=0)
    names = set(made.parameters)
    assert {"head.weight", "head.bias"} < names
    assert all("lora_" in name for name in names - {"head.weight", "head.bias"})
