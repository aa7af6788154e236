"""Predictions for texts and the like, off the event loop: a worker thread predicts what waits in one go."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from tunesmith.core.errors import TunesmithError
from tunesmith.serve.admission import Limits, WaitingRoom
from tunesmith.serve.caller import CALLER
from tunesmith.serve.engine import Stats
from tunesmith.serve.quarantine import Quarantine, UnaskedError

logger = logging.getLogger(__name__)

Probabilities = npt.NDArray[np.floating]  # [texts, labels]
Asked = TypeVar("Asked", bound=Sized)
Found = TypeVar("Found", bound=Sequence[Any] | Probabilities)  # one for each item


class Classifier(Protocol):
    """A model that gives each text a probability for each label."""

    @property
    def name(self) -> str:
        """What the model is called."""

    @property
    def labels(self) -> tuple[str, ...]:
        """What it decides between."""

    def predict(self, texts: Sequence[str]) -> Probabilities:
        """Probabilities, [texts, labels]."""


@dataclass(slots=True, eq=False)
class _Job(Generic[Asked, Found]):
    items: Sequence[Asked]
    answer: asyncio.Future[Found]
    size: int


class ClassifierEngine(Generic[Asked, Found]):
    """Requests of one model, micro-batched. Close it to end its thread.

    `predict` finds something for each item: a classifier's probabilities, a tagger's entities. The length of
    an item is what it takes, in the unit of `Limits.queue_size`.
    """

    def __init__(
        self,
        predict: Callable[[Sequence[Asked]], Found],
        limits: Limits,
    ) -> None:
        self.compute = predict
        self._limits = limits
        self._room: WaitingRoom[_Job[Asked, Found]] = WaitingRoom(limits)
        self._quarantine = Quarantine()
        self._running = 0
        self._worker = threading.Thread(target=self._work, name="tunesmith-classifier", daemon=True)
        self._worker.start()

    async def predict(self, items: Sequence[Asked]) -> Found:
        """What is found for each item.

        Raises:
            TunesmithError: S03 when too much is waiting, S04 past the deadline, S05 when the model fails, S07
                when the engine is closed.
        """
        self._quarantine.check(items)
        answer: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        job = _Job(items, answer, sum(map(len, items)))
        self._room.put([job], CALLER.get())
        try:
            async with asyncio.timeout(self._limits.deadline_s):
                return await job.answer
        except TimeoutError:
            raise TunesmithError("S04", seconds=self._limits.deadline_s) from None
        finally:
            self._room.discard(job)

    def stats(self) -> Stats:
        """What it is doing now."""
        return Stats(
            running=self._running,
            waiting=len(self._room),
            waiting_size=self._room.size,
            healthy=self._worker.is_alive(),
        )

    def close(self) -> None:
        """Stop after the current batch; whoever still waits gets S07."""
        for job in self._room.close():
            _settle(job, TunesmithError("S07"))
        self._worker.join()

    def _work(self) -> None:
        while (jobs := self._room.take(self._limits.batch, wait=True)) is not None:
            self._running = len(jobs)
            self._answer(jobs)
            self._running = 0

    def _answer(self, jobs: Sequence[_Job[Asked, Found]]) -> None:
        try:
            rows = self.compute([item for job in jobs for item in job.items])
        except Exception as error:
            logger.exception("a batch of %d requests could not be computed", len(jobs))
            if len(jobs) == 1:
                if not isinstance(error, UnaskedError):
                    self._quarantine.note(jobs[0].items)
                _settle(jobs[0], error if isinstance(error, TunesmithError) else TunesmithError("S05"))
                return
            # One request may spoil its batch; it alone is to fail.
            for job in jobs:
                self._answer([job])
            return
        start = 0
        for job in jobs:
            self._quarantine.clear(job.items)
            _settle(job, rows[start : start + len(job.items)])
            start += len(job.items)


def _settle(job: _Job[Any, Any], outcome: object) -> None:
    def settle() -> None:
        if job.answer.done():
            return
        if isinstance(outcome, TunesmithError):
            job.answer.set_exception(outcome)
        else:
            job.answer.set_result(outcome)

    try:
        job.answer.get_loop().call_soon_threadsafe(settle)
    except RuntimeError:
        logger.info("an event loop was closed with an answer on its way")
