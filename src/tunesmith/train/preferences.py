"""Losses of preferences: each gives one value for every pair of answers (see `tasks.pairs.Pairs`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt, Lt

from tunesmith.core.errors import DataError
from tunesmith.tasks.pairs import Pairs, uses_drift

if TYPE_CHECKING:
    from torch import Tensor


def dpo(
    pairs: Pairs,
    *,
    beta: Annotated[float, Gt(0)] = 0.1,
    label_smoothing: Annotated[float, Ge(0), Lt(0.5)] = 0.0,
) -> Tensor:
    """Direct preference optimisation (Rafailov et al. 2023), conservative with smoothing (Mitchell 2023).

    -(1 - s) log sigmoid(beta m) - s log sigmoid(-beta m), where m is the margin of the rewards: how much
    further than the reference the model tells the answers apart. -> [pairs] in nats.
    """
    from torch.nn.functional import logsigmoid

    _require_both(pairs)
    gained, lost = pairs.chosen - pairs.reference_chosen, pairs.rejected - pairs.reference_rejected
    margin = beta * (gained - lost)
    return -(1 - label_smoothing) * logsigmoid(margin) - label_smoothing * logsigmoid(-margin)


def ipo(pairs: Pairs, *, beta: Annotated[float, Gt(0)] = 0.1) -> Tensor:
    """Identity preference optimisation (Azar et al. 2023): (m - 1 / (2 beta))^2 -> [pairs].

    Here m is the margin of log-probabilities per token, as its authors and TRL compute it.
    """
    _require_both(pairs)
    chosen = (pairs.chosen - pairs.reference_chosen) / pairs.chosen_tokens
    rejected = (pairs.rejected - pairs.reference_rejected) / pairs.rejected_tokens
    loss: Tensor = (chosen - rejected - 1 / (2 * beta)) ** 2
    return loss


def orpo(pairs: Pairs, *, beta: Annotated[float, Gt(0)] = 0.1) -> Tensor:
    """Odds ratio preference optimisation (Hong et al. 2024) -> [pairs] in nats; it needs no reference.

    -p_c - beta log sigmoid(log odds(p_c) - log odds(p_r)), where p_c and p_r are mean log-probabilities per
    token and odds are P / (1 - P). The first term is the usual loss of the better answer.
    """
    from torch.nn.functional import logsigmoid

    _require_both(pairs)
    chosen = pairs.chosen / pairs.chosen_tokens
    rejected = pairs.rejected / pairs.rejected_tokens
    return -chosen - beta * logsigmoid(_log_odds(chosen) - _log_odds(rejected))


def _log_odds(mean: Tensor) -> Tensor:
    """The logarithm of P / (1 - P) of log-probabilities log P."""
    import torch

    # An answer that is certain has odds without end.
    return mean - torch.log(-torch.expm1(mean.clamp(max=-1e-6)))


def simpo(
    pairs: Pairs, *, beta: Annotated[float, Gt(0)] = 2.0, gamma: Annotated[float, Ge(0)] = 1.0
) -> Tensor:
    """Simple preference optimisation (Meng et al. 2024) -> [pairs] in nats; it needs no reference.

    -log sigmoid(beta (p_c - p_r) - gamma), where p_c and p_r are mean log-probabilities per token.
    """
    from torch.nn.functional import logsigmoid

    _require_both(pairs)
    margin = pairs.chosen / pairs.chosen_tokens - pairs.rejected / pairs.rejected_tokens
    return -logsigmoid(beta * margin - gamma)


@uses_drift
def kto(
    pairs: Pairs,
    *,
    beta: Annotated[float, Gt(0)] = 0.1,
    desirable: Annotated[float, Ge(0)] = 1.0,
    undesirable: Annotated[float, Ge(0)] = 1.0,
) -> Tensor:
    """Kahneman-Tversky optimisation (Ethayarajh et al. 2024) -> [pairs]; one answer of a pair may be missing.

    The mean over the answers of a pair of weight * sigmoid(-s beta (r - z)), where r is the reward of an
    answer, z the drift, at least 0, and s is 1 for the better answer and -1 for the worse one.
    """
    drift = pairs.drift.clamp(min=0)
    gained, lost = pairs.chosen - pairs.reference_chosen, pairs.rejected - pairs.reference_rejected
    better = desirable * (beta * (drift - gained)).sigmoid()
    worse = undesirable * (beta * (lost - drift)).sigmoid()
    has_better, has_worse = pairs.chosen_tokens > 0, pairs.rejected_tokens > 0
    loss: Tensor = (better * has_better + worse * has_worse) / (has_better.int() + has_worse.int())
    return loss


def _require_both(pairs: Pairs) -> None:
    """Hold the rows to have two answers.

    Raises:
        DataError: T32 when one has only one.
    """
    if not bool(pairs.chosen_tokens.all() and pairs.rejected_tokens.all()):
        raise DataError("T32")
