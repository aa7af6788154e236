"""Losses of preferences: each gives one value for every pair of answers (see `tasks.pairs.Pairs`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt, Lt

if TYPE_CHECKING:
    from torch import Tensor

    from tunesmith.tasks.pairs import Pairs


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

    margin = beta * _margin(pairs)
    return -(1 - label_smoothing) * logsigmoid(margin) - label_smoothing * logsigmoid(-margin)


def ipo(pairs: Pairs, *, beta: Annotated[float, Gt(0)] = 0.1) -> Tensor:
    """Identity preference optimisation (Azar et al. 2023): (m - 1 / (2 beta))^2 -> [pairs].

    Here m is the margin of log-probabilities per token, as its authors and TRL compute it.
    """
    chosen = (pairs.chosen - pairs.reference_chosen) / pairs.chosen_tokens
    rejected = (pairs.rejected - pairs.reference_rejected) / pairs.rejected_tokens
    loss: Tensor = (chosen - rejected - 1 / (2 * beta)) ** 2
    return loss


def orpo(pairs: Pairs, *, beta: Annotated[float, Gt(0)] = 0.1) -> Tensor:
    """Odds ratio preference optimisation (Hong et al. 2024) -> [pairs] in nats; it needs no reference.

    -p_c - beta log sigmoid(log odds(p_c) - log odds(p_r)), where p_c and p_r are mean log-probabilities per
    token and odds are P / (1 - P). The first term is the usual loss of the better answer.
    """
    import torch
    from torch.nn.functional import logsigmoid

    chosen = pairs.chosen / pairs.chosen_tokens
    rejected = pairs.rejected / pairs.rejected_tokens
    odds = chosen - rejected - (torch.log(-torch.expm1(chosen)) - torch.log(-torch.expm1(rejected)))
    return -chosen - beta * logsigmoid(odds)


def simpo(
    pairs: Pairs, *, beta: Annotated[float, Gt(0)] = 2.0, gamma: Annotated[float, Ge(0)] = 1.0
) -> Tensor:
    """Simple preference optimisation (Meng et al. 2024) -> [pairs] in nats; it needs no reference.

    -log sigmoid(beta (p_c - p_r) - gamma), where p_c and p_r are mean log-probabilities per token.
    """
    from torch.nn.functional import logsigmoid

    margin = pairs.chosen / pairs.chosen_tokens - pairs.rejected / pairs.rejected_tokens
    return -logsigmoid(beta * margin - gamma)


def _margin(pairs: Pairs) -> Tensor:
    return (pairs.chosen - pairs.reference_chosen) - (pairs.rejected - pairs.reference_rejected)
