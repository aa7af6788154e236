"""Losses in tiles: the values and gradients of all logits at once, whatever the loss and whoever learns."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tunesmith.models.backbone import Head
from tunesmith.tasks import token_losses
from tunesmith.tasks.token_losses import log_probabilities, weighted_loss
from tunesmith.train.losses import cross_entropy

ROWS, WIDTH, VOCAB = 600, 12, 37  # three tiles, the last one short


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small vocabulary has all rows in one tile."""
    monkeypatch.setattr(token_losses, "_LOGITS", 1)


def parts(*, frozen: bool = False) -> tuple[Tensor, nn.Linear, Tensor, Tensor]:
    """Hidden states that learn, a head that may be frozen, targets and weights."""
    generator = torch.Generator().manual_seed(7)
    head = nn.Linear(WIDTH, VOCAB)
    head.requires_grad_(not frozen)
    hidden = torch.randn(ROWS, WIDTH, generator=generator, requires_grad=True)
    targets = torch.randint(VOCAB, (ROWS,), generator=generator)
    return hidden, head, targets, torch.rand(ROWS, generator=generator)


def head_of(linear: nn.Linear) -> Head:
    return Head(linear, tuple(linear.parameters()))


def squared(logits: Tensor, target: Tensor) -> Tensor:
    """A loss of a user's own."""
    return (1 - logits.softmax(-1).gather(1, target[:, None])[:, 0]) ** 2


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("loss", [cross_entropy, partial(cross_entropy, label_smoothing=0.1), squared])
def test_the_weighted_loss_and_its_gradients_are_those_of_all_rows_at_once(
    loss: Callable[[Tensor, Tensor], Tensor], frozen: bool
) -> None:
    hidden, head, targets, weights = parts(frozen=frozen)
    learned = [hidden] if frozen else [hidden, *head.parameters()]
    whole = (loss(head(hidden), targets) * weights).sum() / 3
    found = weighted_loss(head_of(head), hidden, targets, weights, loss) / 3
    torch.testing.assert_close(found, whole)
    for mine, theirs in zip(
        torch.autograd.grad(found, learned), torch.autograd.grad(whole, learned), strict=True
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("frozen", [False, True])
def test_log_probabilities_can_go_through_any_function(frozen: bool) -> None:
    hidden, head, targets, _ = parts(frozen=frozen)
    learned = [hidden] if frozen else [hidden, *head.parameters()]
    everywhere = head(hidden).log_softmax(-1).gather(1, targets[:, None])[:, 0]
    found = log_probabilities(head_of(head), hidden, targets)
    torch.testing.assert_close(found, everywhere)

    def margin(values: Tensor) -> Tensor:
        return functional.logsigmoid(values[:300].sum() / 100 - values[300:].sum() / 100)

    mine, theirs = (torch.autograd.grad(margin(values), learned) for values in (found, everywhere))
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_a_small_vocabulary_takes_larger_tiles_and_the_values_are_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(token_losses, "_LOGITS", 400 * VOCAB)  # two tiles, of 400 rows and of 200
    hidden, head, targets, weights = parts()
    seen: list[int] = []

    def loss(logits: Tensor, target: Tensor) -> Tensor:
        seen.append(len(logits))
        return cross_entropy(logits, target)

    whole = (cross_entropy(head(hidden), targets) * weights).sum()
    found = weighted_loss(head_of(head), hidden, targets, weights, loss)
    assert seen == [400, 200]
    torch.testing.assert_close(found, whole)
    learned = [hidden, *head.parameters()]
    for mine, theirs in zip(
        torch.autograd.grad(found, learned), torch.autograd.grad(whole, learned), strict=True
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


def test_without_gradients_the_values_are_the_same() -> None:
    hidden, head, targets, weights = parts()
    found = weighted_loss(head_of(head), hidden, targets, weights, cross_entropy)
    each = log_probabilities(head_of(head), hidden, targets)
    with torch.inference_mode():
        torch.testing.assert_close(
            weighted_loss(head_of(head), hidden, targets, weights, cross_entropy), found.detach()
        )
        torch.testing.assert_close(log_probabilities(head_of(head), hidden, targets), each.detach())


def test_no_rows_cost_nothing() -> None:
    hidden, head, targets, weights = (part[:0] if isinstance(part, Tensor) else part for part in parts())
    with torch.no_grad():
        assert float(weighted_loss(head_of(head), hidden, targets, weights, cross_entropy)) == 0
        assert len(log_probabilities(head_of(head), hidden, targets)) == 0


def test_only_one_tile_of_logits_exists_at_a_time() -> None:
    hidden, linear, targets, weights = parts()
    largest = 0

    def project(rows: Tensor) -> Tensor:
        nonlocal largest
        largest = max(largest, len(rows))
        logits: Tensor = linear(rows)
        return logits

    head = Head(project, tuple(linear.parameters()))
    weighted_loss(head, hidden, targets, weights, cross_entropy).backward()
    log_probabilities(head, hidden, targets).sum().backward()
    assert largest == 256
