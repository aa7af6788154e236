"""Continuous batching as an engine: one worker thread drives what continues sequences, whatever computes.

Each turn drops what nobody wants any more, takes in what waits as far as the batch has room, and makes one
step. Whatever goes wrong reaches every request concerned as an error; none is left waiting.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tunesmith.core.errors import TunesmithError
from tunesmith.models.token import Finish
from tunesmith.serve.admission import Limits, WaitingRoom
from tunesmith.serve.caller import CALLER
from tunesmith.serve.engine import Prompt, Reading, Stats, TokenStream
from tunesmith.serve.job import Job, begin, tell
from tunesmith.serve.quarantine import Quarantine

if TYPE_CHECKING:
    from tunesmith.models.decoder import Batching

logger = logging.getLogger(__name__)


class Bank(Protocol):
    """Adapters that prompts may ask for, by name; any thread may change them."""

    def add(self, name: str, folder: Path) -> None:
        """Read an adapter from a PEFT folder.

        Raises:
            ModelError: M21 when it does not fit.
        """

    def remove(self, name: str) -> None:
        """Take an adapter out; who began with it goes on."""


class BatchEngine:
    """Serves what a decoder continues, with adapters of `bank`. Close it to end its thread."""

    def __init__(self, decoder: Batching, limits: Limits, bank: Bank) -> None:
        self._decoder = decoder
        self.bank = bank
        self._limits = limits
        self._room: WaitingRoom[Job] = WaitingRoom(limits)
        self._quarantine = Quarantine()
        self._running: dict[int, Job] = {}  # by the decoder's handle; only the worker changes it
        self._starting = 0  # taken in, and not running yet: reading a prompt takes time
        self._healthy = True
        self._worker = threading.Thread(target=self._work, name="tunesmith-engine", daemon=True)
        self._worker.start()

    @property
    def vocabulary(self) -> int:
        """How many token ids the model knows."""
        return self._decoder.vocabulary

    def submit(self, prompts: Sequence[Prompt]) -> TokenStream:
        """Begin the sequences of one request; see `Engine.submit`."""
        if not self._healthy:
            raise TunesmithError("S05")
        for prompt in prompts:
            self._quarantine.check(prompt.content)
        stream, jobs = begin(prompts, self._limits.deadline_s, self._forget)
        self._room.put(jobs, CALLER.get())
        return stream

    def stats(self) -> Stats:
        """What it is doing now."""
        return Stats(
            running=len(self._running) + self._starting,
            waiting=len(self._room),
            waiting_size=self._room.size,
            healthy=self._healthy,
        )

    def close(self) -> None:
        """Stop after the current step; whoever still waits gets S07."""
        tell((job, TunesmithError("S07")) for job in self._room.close())
        self._worker.join()

    def _forget(self, job: Job) -> None:
        job.gone = True
        self._room.discard(job)

    def _work(self) -> None:
        reason = "S07"
        try:
            while self._turn():
                pass
        except BaseException:
            logger.exception("the engine's thread ended")
            self._healthy, reason = False, "S05"
        left = [*self._running.values(), *self._room.close()]
        self._running.clear()
        tell((job, TunesmithError(reason)) for job in left)

    def _turn(self) -> bool:
        """Drop, take in, step. False when the engine was closed."""
        for handle in [handle for handle, job in self._running.items() if job.gone]:
            self._decoder.remove(handle)
            del self._running[handle]
        free = self._limits.batch - len(self._running)
        left = self._limits.running_size - sum(job.size for job in self._running.values())
        arrivals = self._room.take(free, wait=not self._running, size=left)
        if arrivals is None:
            return False
        self._starting = len(arrivals)
        for job in arrivals:
            self._start(job)
            self._starting -= 1
        if self._running:
            self._step()
        return True

    def _start(self, job: Job) -> None:
        if job.gone:
            return
        try:
            if job.prompt.read is not None:
                self._read(job, job.prompt.read)
            if job.prompt.sampling.max_new_tokens:
                handle = self._decoder.add(job.prompt.ids, job.prompt.sampling, job.prompt.adapter)
                self._running[handle] = job
        except TunesmithError as error:
            tell([(job, error)])
        except Exception as error:
            self._give_up(job, error)

    def _give_up(self, job: Job, error: Exception) -> None:
        """A request failed without the others."""
        logger.error("a request could not be computed", exc_info=error)
        self._quarantine.note(job.prompt.content)
        tell([(job, TunesmithError("S05"))])

    def _read(self, job: Job, top: int) -> None:
        found = self._decoder.likelihoods(job.prompt.ids, top, job.prompt.adapter)
        finish: Finish | None = None if job.prompt.sampling.max_new_tokens else "length"
        tell([(job, Reading(found, finish))])

    def _step(self) -> None:
        try:
            tokens = self._decoder.step(lambda handle, error: self._give_up(self._running.pop(handle), error))
        except Exception:
            # The cache of the batch is in an unknown state: give up the batch, not the engine.
            logger.exception("a step failed; its %d requests fail", len(self._running))
            failed = list(self._running.values())
            self._running.clear()
            self._decoder.clear()
            tell((job, TunesmithError("S05")) for job in failed)
            return
        # Of several tokens of one request the last ones may have failed, and it with them.
        items = [(job, token) for token in tokens if (job := self._running.get(token.handle))]
        for token in tokens:
            if token.finish:
                self._running.pop(token.handle, None)
        tell(items)
