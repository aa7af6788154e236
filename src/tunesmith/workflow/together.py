"""A recipe carried out by several processes: the first one does everything, the others only train with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tunesmith.core.errors import TunesmithError
from tunesmith.train.parallel import Group, LeftError

if TYPE_CHECKING:
    from tunesmith.workflow.plan import Plan

_DONE = ""


@contextmanager
def leading(group: Group) -> Iterator[None]:
    """Let the others go when the block ends, however it ends."""
    try:
        yield
    finally:
        # Those who are gone already need not be told.
        with suppress(TunesmithError):
            group.first(lambda: _DONE)


def assist(group: Group, make: Callable[[], Plan], stop: Callable[[], bool] = lambda: False) -> None:
    """Train whatever the first process trains, until it says that there is no more.

    `make` gives the plan; it is asked for when the first process has one and has prepared the data.

    Raises:
        TunesmithError: for what only this process lacks; what all meet is said by the first.
    """
    work = None
    while key := _next(group):
        work = work or _Work(make(), group, stop)
        work.train(key)


def _next(group: Group) -> str:
    """The key of the candidate that is trained next."""
    return group.first(lambda: _DONE)


class _Work:
    """The plan and its data, read once."""

    def __init__(self, plan: Plan, group: Group, stop: Callable[[], bool]) -> None:
        from tunesmith.workflow import answers, parts

        self._plan = plan
        self._parts = answers.of(plan, parts.make(plan))
        self._group = group
        self._stop = stop

    def train(self, key: str) -> None:
        from tunesmith.train.loop import TrainingError
        from tunesmith.workflow import training

        candidate = next(one for one in self._plan.candidates if one.key == key)
        # The first process meets the same bad step and says so.
        with suppress(LeftError, TrainingError):
            training.assist(self._plan, candidate, self._parts, self._stop, self._group)
