"""Numbers for texts, off the event loop: one worker thread, which predicts what waits in one go."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tunesmith.core.errors import TunesmithError
from tunesmith.serve.admission import Limits, WaitingRoom
from tunesmith.serve.engine import Stats

logger = logging.getLogger(__name__)

Probabilities = npt.NDArray[np.floating]  # [texts, labels]


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
class _Job:
    texts: Sequence[str]
    answer: asyncio.Future[Probabilities]

    @property
    def size(self) -> int:
        return sum(map(len, self.texts))


class ClassifierEngine:
    """Requests of one model, micro-batched. Close it to end its thread.

    `predict` gives the numbers of texts: a classifier's probabilities, or the vectors of an embedder.
    """

    def __init__(self, predict: Callable[[Sequence[str]], Probabilities], limits: Limits) -> None:
        self._predict = predict
        self._limits = limits
        self._room: WaitingRoom[_Job] = WaitingRoom(limits)
        self._running = 0
        self._worker = threading.Thread(target=self._work, name="tunesmith-classifier", daemon=True)
        self._worker.start()

    async def predict(self, texts: Sequence[str]) -> Probabilities:
        """Probabilities, [texts, labels].

        Raises:
            TunesmithError: S03 when too much is waiting, S04 past the deadline, S05 when the model fails, S07
                when the engine is closed.
        """
        job = _Job(texts, asyncio.get_running_loop().create_future())
        self._room.put([job])
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

    def _answer(self, jobs: Sequence[_Job]) -> None:
        try:
            rows = self._predict([text for job in jobs for text in job.texts])
        except Exception:
            logger.exception("a batch of %d requests could not be classified", len(jobs))
            if len(jobs) == 1:
                _settle(jobs[0], TunesmithError("S05"))
                return
            # One request may spoil its batch; it alone is to fail.
            for job in jobs:
                self._answer([job])
            return
        start = 0
        for job in jobs:
            _settle(job, rows[start : start + len(job.texts)])
            start += len(job.texts)


def _settle(job: _Job, outcome: Probabilities | TunesmithError) -> None:
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
