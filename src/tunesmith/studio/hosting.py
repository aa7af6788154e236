"""Models that are loaded into the running server, and taken out again, while it serves others.

A model is loaded in a thread of its own, one after the other; what is loading and what failed is told of, and
one that an alias names follows it as those given at the start do.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tunesmith.core.errors import Problem, TunesmithError, UsageError
from tunesmith.core.workspace import Workspace
from tunesmith.serve.deployments import Deployments
from tunesmith.serve.following import Follower, Source
from tunesmith.studio import room
from tunesmith.workflow import serving

logger = logging.getLogger(__name__)

State: TypeAlias = Literal["loading", "failed"]


@dataclass(frozen=True, slots=True)
class Loading:
    """A model that is being loaded, or could not be."""

    label: str
    state: State
    problem: Problem | None = None


class Hosting:
    """The models of a running server. Close it when the server ends."""

    def __init__(self, workspace: Workspace, served: Deployments) -> None:
        self._workspace = workspace
        self._served = served
        self._changing = threading.Lock()
        self._loading = threading.Lock()
        self._pending: dict[str, Loading] = {}
        self._sources: list[Source] = []
        self._follower: Follower | None = None

    @property
    def pending(self) -> list[Loading]:
        """What is being loaded, and what could not be."""
        return list(self._pending.values())

    def load(self, label: str) -> Loading:
        """Begin to load a model.

        Raises:
            UsageError: S24 when it is served or being loaded already.
            MemoryShortError: W57 when it needs more memory than is free.
        """
        with self._changing:
            there = self._pending.get(label)
            if label in self._served or (there and there.state == "loading"):
                raise UsageError("S24", name=label)
            room.require(self._workspace, label)
            begun = self._pending[label] = Loading(label, "loading")
        name = f"tunesmith-loading-{label}"
        threading.Thread(target=self._work, args=(label,), name=name, daemon=True).start()
        return begun

    def unload(self, name: str) -> None:
        """Serve a model no longer, or forget that it could not be loaded.

        Raises:
            NotFoundError: S01 when no model is called so.
        """
        there = self._pending.get(name)
        if there is not None and there.state == "failed":
            self._pending.pop(name, None)
            return
        found = self._served.named(name)
        self._served.remove(name)
        gone = {found.name, *found.aliases}
        self._sources[:] = [source for source in self._sources if source.label not in gone]

    def follow(self, sources: Iterable[Source]) -> None:
        """Let models that are served follow these aliases, until they are taken out."""
        self._sources.extend(sources)
        if self._sources:
            self._follower = self._follower or Follower(self._served, self._sources)

    def close(self) -> None:
        """End. Who is loading a model is not waited for: it finds that it came too late."""
        if self._follower is not None:
            self._follower.close()

    def _work(self, label: str) -> None:
        try:
            with self._loading:
                taken = self._served.__contains__
                self._add(serving.one(label, self._workspace, taken=taken))
            self._pending.pop(label, None)
        except TunesmithError as error:
            self._pending[label] = Loading(label, "failed", error.problems[0])
        except Exception:
            logger.exception("%s could not be loaded", label)
            self._pending[label] = Loading(label, "failed", Problem(code="W58", values={"name": label}))

    def _add(self, loaded: serving.Loaded) -> None:
        try:
            self._served.add(loaded.deployment)
        except TunesmithError:
            loaded.deployment.close()  # nobody else knows of it
            raise
        if loaded.source is not None:
            self.follow([loaded.source])
