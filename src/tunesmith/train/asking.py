"""What a search tries next, and when a trial is not worth going on with.

Both are functions of the seed and of the trials before. No study is kept anywhere, and so a search that was
cut off asks what it would have asked.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from tunesmith.core import cache
from tunesmith.core.errors import MissingError
from tunesmith.core.events import TrialFinished

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

Space = Mapping[str, Mapping[str, list[Any]]]

DRAWN = 5
"""So many trials are drawn at random before any is asked for by what the others came to."""
COMPARED = 4
"""A trial ends early only beside at least so many that came to their end."""


def check() -> None:
    """Find out that optuna is installed, without importing it.

    Raises:
        MissingError: M03 when it is not.
    """
    if find_spec("optuna") is None:
        raise MissingError("M03", name="train.search", package="optuna", extra="search")


def ask(space: Space, tried: Sequence[TrialFinished], *, seed: int, higher: bool) -> dict[str, Any]:
    """The values of the next trial, by tree-structured Parzen estimators (Bergstra et al. 2011)."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # optuna takes seeds of 32 bits.
    own = int(cache.key(seed=seed, trial=len(tried) + 1)[:8], 16)
    study = optuna.create_study(
        direction="maximize" if higher else "minimize",
        sampler=optuna.samplers.TPESampler(seed=own, n_startup_trials=DRAWN),
    )
    ranges = {path: _distribution(given) for path, given in space.items()}
    study.add_trials([_told(one, space, ranges) for one in tried])
    asked = study.ask(ranges).params
    return {path: given["choice"][asked[path]] if "choice" in given else asked[path]
            for path, given in space.items()}  # fmt: skip


def _distribution(given: Mapping[str, list[Any]]) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    kind, values = next(iter(given.items()))
    if kind == "choice":
        # By number: what is chosen may be a component with its settings.
        return CategoricalDistribution(range(len(values)))
    if kind == "int":
        return IntDistribution(*values)
    return FloatDistribution(values[0], values[1], log=kind == "log")


def _told(one: TrialFinished, space: Space, ranges: Mapping[str, BaseDistribution]) -> FrozenTrial:
    """A trial as optuna knows it."""
    import optuna
    from optuna.trial import TrialState

    states = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
    params = {
        path: given["choice"].index(one.values[path]) if "choice" in given else one.values[path]
        for path, given in space.items()
    }
    return optuna.trial.create_trial(
        state=states[one.state],
        value=one.figure if one.state == "complete" else None,
        params=params,
        distributions=dict(ranges),
        intermediate_values={int(rows): figure for rows, figure in one.curve},
    )


def best(tried: Sequence[TrialFinished], *, higher: bool) -> TrialFinished | None:
    """The trial with the best figure, the first of those that are alike; None when none came to its end."""
    complete = [one for one in tried if one.state == "complete"]
    return min(complete, key=lambda one: _worse(one.figure or 0.0, higher), default=None)


def is_poor(curve: Sequence[Sequence[float]], tried: Sequence[TrialFinished], *, higher: bool) -> bool:
    """Whether a trial did worse so far than half of those before it after as many rows.

    The median stopping rule (Golovin et al. 2017) on the best figure so far; `curve` has [rows, figure].
    """
    if not curve:
        return False
    rows = curve[-1][0]
    others = [_so_far(one.curve, rows, higher) for one in tried if one.state == "complete"]
    reached = [figure for figure in others if figure is not None]
    own = _so_far(curve, rows, higher)
    if len(reached) < COMPARED or own is None:
        return False
    return own > statistics.median(reached)


def _so_far(curve: Sequence[Sequence[float]], rows: float, higher: bool) -> float | None:
    """The best figure until `rows`, as a number that is lower for a better one."""
    return min((_worse(figure, higher) for seen, figure in curve if seen <= rows), default=None)


def _worse(figure: float, higher: bool) -> float:
    return -figure if higher else figure
