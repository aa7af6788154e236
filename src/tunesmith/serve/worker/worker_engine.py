"""An engine that computes in a process of its own: what waits, waits here, and outlives the process.

Whose process died gets S48. Sequences that were running then are suspects: each is tried once more by itself,
and the one that is alone with the next death is the culprit.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

from tunesmith.core.errors import TunesmithError
from tunesmith.serve.admission import Limits, WaitingRoom
from tunesmith.serve.caller import CALLER
from tunesmith.serve.engine import Item, Prompt, Stats, TokenStream
from tunesmith.serve.job import Job, begin, tell
from tunesmith.serve.quarantine import Quarantine
from tunesmith.serve.worker.channel import Message
from tunesmith.serve.worker.codec import item_in, prompt_out
from tunesmith.serve.worker.process import Process

logger = logging.getLogger(__name__)


class WorkerEngine:
    """See `Engine`. Close it to end its process."""

    def __init__(self, process: Process, limits: Limits) -> None:
        self.process = process
        self._limits = limits
        self._room: WaitingRoom[Job] = WaitingRoom(limits)
        self._quarantine = Quarantine()
        self._running: dict[int, Job] = {}
        self._suspect: Job | None = None  # whose turn it is as soon as nobody else is running
        self._healthy = True
        self._changing = threading.RLock()

    def submit(self, prompts: Sequence[Prompt]) -> TokenStream:
        """Begin the sequences of one request; see `Engine.submit`.

        Raises:
            TunesmithError: S50 when the process has died too often.
        """
        if self.process.hopeless:
            raise TunesmithError("S50")
        for prompt in prompts:
            self._quarantine.check(prompt.content)
        stream, jobs = begin(prompts, self._limits.deadline_s, self._forget)
        # Each model that is computed here has a queue of its own for every key; one request asks one model.
        adapter = next((prompt.adapter for prompt in prompts), None)
        self._room.put(jobs, f"{adapter or ''} {CALLER.get()}")
        self._pump()
        return stream

    def stats(self) -> Stats:
        """What it is doing now."""
        return Stats(
            running=len(self._running),
            waiting=len(self._room) + (self._suspect is not None),
            waiting_size=self._room.size,
            healthy=self._healthy and self.process.up,
        )

    def stats_of(self, adapter: str | None) -> Stats:
        """What it is doing for one adapter, or for the base by itself."""
        waiting, running = self._jobs_of(adapter)
        size = sum(job.size for job in waiting)
        return replace(self.stats(), running=len(running), waiting=len(waiting), waiting_size=size)

    def end(self, adapter: str | None) -> None:
        """Whoever waits for one adapter gets S07."""
        left = list(chain(*self._jobs_of(adapter)))
        for job in left:
            self._forget(job)
        _tell_all(left, TunesmithError("S07"))

    def _jobs_of(self, adapter: str | None) -> tuple[list[Job], list[Job]]:
        """What waits and what runs for one adapter, or for the base by itself."""
        with self._changing:
            waiting = [*self._room.jobs(), *([self._suspect] if self._suspect else [])]
            running = list(self._running.values())
        waits, runs = ([j for j in jobs if j.prompt.adapter == adapter] for jobs in (waiting, running))
        return waits, runs

    def close(self) -> None:
        """End the process; whoever still waits gets S07."""
        left = [*self._room.close(), *self._taken()]
        self.process.close()
        _tell_all(left, TunesmithError("S07"))

    def heard(self, message: Message) -> None:
        """The process says something."""
        if message["is"] == "alive":
            self._healthy = message["healthy"]
            return
        found: list[tuple[Job, Item | TunesmithError]] = []
        for number, *said in message["items"]:
            if job := self._running.get(number):
                item = item_in(number, said)
                found.append((job, item))
                if isinstance(item, TunesmithError) or item.finish:
                    self._done(job, item)
        tell(found)
        self._pump()

    def came(self) -> None:
        """The process is ready."""
        self._healthy = True
        self._pump()

    def left(self) -> None:
        """The process died."""
        with self._changing:
            running = list(self._running.values())
            self._running.clear()
        for job in running:
            self._quarantine.note(job.prompt.content, certain=len(running) == 1)
        _tell_all(running, TunesmithError("S48"))
        if self.process.hopeless:
            _tell_all(self._taken(), TunesmithError("S50"))

    def _done(self, job: Job, item: Item | TunesmithError) -> None:
        with self._changing:
            self._running.pop(job.number, None)
        if not isinstance(item, TunesmithError):
            self._quarantine.clear(job.prompt.content)

    def _forget(self, job: Job) -> None:
        """Nobody wants a job any more."""
        self._room.discard(job)
        with self._changing:
            known = self._running.pop(job.number, None)
            if self._suspect is job:
                self._suspect = None
        if known:
            self.process.send({"do": "stop", "id": job.number, "adapter": job.prompt.adapter})
            self._pump()

    def _pump(self) -> None:
        """Let as many sequences through as are computed at once; a suspect by itself."""
        with self._changing:
            while self.process.up and self._has_room():
                job = self._suspect or self._next()
                if job is None:
                    return
                self._suspect = job if self._running and self._is_suspect(job) else None
                if self._suspect is None:
                    self._begin(job)

    def _begin(self, job: Job) -> None:
        self._running[job.number] = job
        try:
            self.process.send({"do": "begin", "id": job.number, "prompt": prompt_out(job.prompt)})
        except (TypeError, ValueError):  # it cannot be written
            logger.exception("a request could not be handed on")
            del self._running[job.number]
            tell([(job, TunesmithError("S05"))])

    def _has_room(self) -> bool:
        """Whether a further sequence may run; none beside a suspect, and none before one that waits."""
        if len(self._running) == 1 and self._is_suspect(next(iter(self._running.values()))):
            return False
        return len(self._running) < (1 if self._suspect else self._limits.batch)

    def _next(self) -> Job | None:
        found = self._room.take(1, wait=False)
        return found[0] if found else None

    def _is_suspect(self, job: Job) -> bool:
        return self._quarantine.suspects(job.prompt.content)

    def _taken(self) -> list[Job]:
        """All that waits or runs, taken out."""
        with self._changing:
            left = [*self._running.values(), *([self._suspect] if self._suspect else [])]
            self._running.clear()
            self._suspect = None
            while job := self._next():
                left.append(job)
        return left


def _tell_all(jobs: Iterable[Job], error: TunesmithError) -> None:
    tell((job, error) for job in jobs)
