"""Served models that follow an alias: where it points to another release, that one takes over.

`tunesmith models promote` and `rollback` move an alias; every server that serves it looks once a second. A
release that cannot be loaded or does not answer never gets a request: the one before goes on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from tunesmith.serve.deployments import Deployments
from tunesmith.serve.served import Deployment

logger = logging.getLogger(__name__)

_EVERY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where `label`, a name with an alias, leads.

    `version` says to which release it points now, None to none; `load` tries that one out and gives it an
    engine.
    """

    label: str
    version: Callable[[], str | None]
    load: Callable[[], Deployment]


class Follower:
    """Looks at aliases in a thread of its own, until it is closed or its block ends."""

    def __init__(self, deployments: Deployments, sources: list[Source], *, every_s: float = _EVERY_S) -> None:
        self._deployments = deployments
        self._sources = sources
        self._every_s = every_s
        self._refused: dict[str, str] = {}  # by label, the release that could not be served
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="tunesmith-follower", daemon=True)
        self._thread.start()

    def __enter__(self) -> Follower:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Look no more."""
        self._closing.set()
        self._thread.join()

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
        if version == served:
            self._refused.pop(source.label, None)  # who points to another one again wants it tried again
        if version is None or version in (served, self._refused.get(source.label)):
            return
        self._refused[source.label] = version  # until it has proved itself
        made = source.load()
        try:
            self._deployments.swap(source.label, made)
        except BaseException:
            made.engine.close()  # nobody else knows of it
            raise
        del self._refused[source.label]
        logger.info("%s is %s now", source.label, version)
