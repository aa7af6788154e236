"""All models of a server, found by name or alias; they may be put in each other's place while it serves.

A request holds on to the model that it found, so one that was replaced ends what it began. Then its engine is
closed.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Iterable, Iterator

from tunesmith.core.errors import NotFoundError, TunesmithError, UsageError
from tunesmith.serve.meter import ASKED
from tunesmith.serve.served import ROUTES, Deployment, Kind, ServedTask

logger = logging.getLogger(__name__)

# Longer than a request takes from finding its model to being in its engine's queue.
_GRACE_S = 3.0
_LOOK_S = 0.05


class Deployments:
    """Models by name. Thread-safe.

    Raises:
        UsageError: S24 when a name is given twice.
    """

    def __init__(self, deployments: Iterable[Deployment]) -> None:
        self._changing = threading.Lock()
        self._by_name: dict[str, Deployment] = {}
        self._canaries: dict[str, tuple[Deployment, float]] = {}  # by the name of whose share they take
        self._shadows: dict[str, tuple[str, float]] = {}  # by the name of whose requests they get too
        # By label, the release that it could not become, and how often that was tried.
        self.refused: dict[str, tuple[str, int]] = {}
        self._leaving: set[threading.Thread] = set()
        self._closed = threading.Event()
        for deployment in deployments:
            self.add(deployment)

    def __iter__(self) -> Iterator[Deployment]:
        return iter({id(deployment): deployment for deployment in self._by_name.values()}.values())

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def add(self, deployment: Deployment) -> None:
        """Serve one more.

        Raises:
            TunesmithError: S07 when the server ends.
            UsageError: S24 when another has one of its names.
        """
        with self._changing:
            self._require_open()
            self._by_name = _with(self._by_name, deployment)

    def swap(self, name: str, deployment: Deployment) -> None:
        """Put a model in the place of the one called `name`, with whatever names the new one has.

        Raises:
            NotFoundError: S01 when no model is called so.
            TunesmithError: S07 when the server ends.
            UsageError: S24 when a third model has one of its names.
        """
        with self._changing:
            self._require_open()
            old = self.named(name)
            # One assignment: whoever looks finds the old one or the new one.
            self._by_name = _with(_without(self._by_name, old), deployment)
            for shared, (canary, part) in list(self._canaries.items()):
                if canary is old:
                    self._canaries[shared] = (deployment, part)
        self._retire(old)

    def remove(self, name: str) -> None:
        """Serve the model called `name` no longer.

        Raises:
            NotFoundError: S01 when no model is called so.
        """
        with self._changing:
            old = self.named(name)
            self._by_name = _without(self._by_name, old)
            shares = self._canaries.items()
            self._canaries = {n: c for n, c in shares if c[0] is not old and n in self._by_name}
            self._shadows = {n: s for n, s in self._shadows.items() if {n, s[0]} <= self._by_name.keys()}
        self._retire(old)

    def share(self, name: str, canary: str, part: float) -> None:
        """Let the model called `canary` answer a part (0 to 1) of the requests for `name`, chosen at random.

        Raises:
            NotFoundError: S01 when no model is called so.
            UsageError: S08 when the canary does something else.
        """
        with self._changing:
            other = self.named(canary)
            if other.task != self.named(name).task:
                raise UsageError("S08", field="model", name=canary, other=ROUTES[other.task])
            self._canaries |= {name: (other, part)}

    def unshare(self, name: str) -> None:
        """Let the model called `name` answer all its requests itself."""
        with self._changing:
            self._canaries = {n: c for n, c in self._canaries.items() if n != name}

    def shares(self) -> dict[str, tuple[str, float]]:
        """By name, the canary that answers a part (0 to 1) of its requests."""
        return {name: (canary.name, part) for name, (canary, part) in self._canaries.items()}

    def shadow(self, name: str, other: str, part: float) -> None:
        """Ask the model called `other` a part (0 to 1) of what the one called `name` was asked.

        Raises:
            NotFoundError: S01 when no model is called so.
        """
        with self._changing:
            self.named(name)
            self.named(other)
            self._shadows |= {name: (other, part)}

    @property
    def has_shadows(self) -> bool:
        """Whether any model has a shadow."""
        return bool(self._shadows)

    def shadow_of(self, name: str) -> tuple[str, float] | None:
        """Who else is asked what the model called `name` is asked, and which part of it."""
        return self._shadows.get(name)

    def find(self, name: str) -> Deployment:
        """The model called `name`, or its canary when it is that one's turn.

        Raises:
            NotFoundError: S01 when no model is called so.
        """
        found = self.named(name)
        canary, part = self._canaries.get(name, (found, 0.0))
        return canary if random.random() < part else found  # noqa: S311  which request it is does not matter

    def named(self, name: str) -> Deployment:
        """The model called `name` itself.

        Raises:
            NotFoundError: S01 when no model is called so.
        """
        found = self._by_name.get(name)
        if found is None:
            known = ", ".join(deployment.name for deployment in self)
            raise NotFoundError("S01", field="model", name=name, known=known)
        return found

    def of(self, kind: type[Kind], name: str, task: ServedTask | None = None) -> Kind:
        """The model called `name`, which has to be of this kind (and do this task).

        Raises:
            NotFoundError: S01 when no model is called so.
            UsageError: S08 when it does something else.
        """
        found = self.find(name)
        if not isinstance(found, kind) or found.task != (task or found.task):
            raise UsageError("S08", field="model", name=name, other=ROUTES[found.task])
        asked = ASKED.get()
        if asked is not None:
            asked.append(found.meter)
        return found

    def close(self) -> None:
        """Stop all engines, for good."""
        with self._changing:
            self._closed.set()
        for thread in list(self._leaving):
            thread.join()
        for deployment in self:
            deployment.close()

    def _require_open(self) -> None:
        if self._closed.is_set():
            raise TunesmithError("S07")

    def _retire(self, old: Deployment) -> None:
        """Close the engine of a model that nobody finds any more, when it has ended what it began."""

        def wait() -> None:
            end = time.monotonic() + _GRACE_S
            while not self._closed.is_set() and (time.monotonic() < end or _is_busy(old)):
                self._closed.wait(_LOOK_S)
            old.close()
            self._leaving.discard(thread)

        thread = threading.Thread(target=wait, name=f"tunesmith-retiring-{old.name}", daemon=True)
        self._leaving.add(thread)
        thread.start()


def _with(known: dict[str, Deployment], deployment: Deployment) -> dict[str, Deployment]:
    """One more; its own name gives way to another's where it has aliases: two may lead to one release."""
    taken = next((name for name in deployment.aliases or [deployment.name] if name in known), None)
    if taken is not None:
        raise UsageError("S24", name=taken)
    names = [deployment.name, *deployment.aliases]
    return known | {name: deployment for name in names if name not in known}


def _without(known: dict[str, Deployment], old: Deployment) -> dict[str, Deployment]:
    """One less; its own name is that of another again, which leads to the same release."""
    left = {name: other for name, other in known.items() if other is not old}
    return {other.name: other for other in left.values()} | left


def _is_busy(deployment: Deployment) -> bool:
    stats = deployment.engine.stats()
    return stats.healthy and stats.running + stats.waiting > 0
