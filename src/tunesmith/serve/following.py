"""Served models that follow an alias: where it points to another release, that one takes over.

`tunesmith models promote` and `rollback` move an alias; every server that serves it looks once a second. A
release that cannot be loaded or does not answer never gets a request: the one before goes on, and the new one
is tried again after growing pauses, because what was in its way (a busy machine, little memory) may pass.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from tunesmith.serve.deployments import Deployments
from tunesmith.serve.served import Deployment

logger = logging.getLogger(__name__)

_EVERY_S = 1.0
_LEAVE_S = 1.0
_PAUSES_S = (5.0, 15.0, 60.0, 300.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where `label`, a name with an alias, leads.

    `version` says to which release it points now, None to none; `load` tries that one out and gives it an
    engine.
    """

    label: str
    version: Callable[[], str | None]
    load: Callable[[], Deployment]


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A release that could not be served so many `times`, and when it may be tried again."""

    version: str
    times: int
    until: float


class Follower:
    """Looks at aliases in a thread of its own, until it is closed or its block ends."""

    def __init__(self, deployments: Deployments, sources: list[Source], *, every_s: float = _EVERY_S) -> None:
        self._deployments = deployments
        self._sources = sources
        self._every_s = every_s
        self._refused: dict[str, _Refusal] = {}  # by label
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="tunesmith-follower", daemon=True)
        self._thread.start()

    def __enter__(self) -> Follower:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Look no more. Who is loading a release is not waited for: it finds that it came too late."""
        self._closing.set()
        self._thread.join(_LEAVE_S)

    def _work(self) -> None:
        while not self._closing.wait(self._every_s):
            for source in self._sources:
                try:
                    self._look(source)
                except Exception:
                    logger.exception("%s could not be looked at; what serves it goes on", source.label)

    def _look(self, source: Source) -> None:
        if source.label not in self._deployments:  # taken out meanwhile
            return
        version, served = source.version(), self._deployments.named(source.label).name
        if version in (None, served):
            self._forgive(source.label)  # who points to another one again wants it tried at once
        elif self._may_try(source.label, version):
            self._try(source, version)

    def _may_try(self, label: str, version: str) -> bool:
        refused = self._refused.get(label)
        return refused is None or refused.version != version or time.monotonic() >= refused.until

    def _try(self, source: Source, version: str) -> None:
        try:
            made = source.load()
            try:
                self._deployments.swap(source.label, made)
            except BaseException:
                made.close()  # nobody else knows of it
                raise
        except Exception:
            self._refuse(source.label, version)
        else:
            self._forgive(source.label)
            logger.info("%s is %s now", source.label, made.name)

    def _refuse(self, label: str, version: str) -> None:
        """Called while the reason is handled."""
        before = self._refused.get(label)
        times = before.times + 1 if before and before.version == version else 1
        pause = _PAUSES_S[min(times, len(_PAUSES_S)) - 1]
        self._refused[label] = _Refusal(version, times, time.monotonic() + pause)
        self._deployments.refused[label] = (version, times)
        said = "%s could not become %s (%d times); what serves it goes on, the next try is in %.0f s"
        logger.exception(said, label, version, times, pause)

    def _forgive(self, label: str) -> None:
        self._refused.pop(label, None)
        self._deployments.refused.pop(label, None)
