"""Somebody who labels: the item before them, what they decide, and the way back."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tunesmith.core.store import Store
from tunesmith.core.store.labelling import Answer, Decision, Item, Project, Standing
from tunesmith.core.store.labelling.records import Kind
from tunesmith.data.annotation.answers import checked

_AHEAD = 4


@dataclass(slots=True)
class Session:
    """One person's work on one project. Every decision is in the store when the call returns.

    `told` hears of every decision.
    """

    store: Store
    project: Project
    annotator: str
    told: Callable[[Project], None]
    clock: Callable[[], float] = time.monotonic
    ahead: list[Item] = field(default_factory=list[Item])
    made: list[tuple[Item, Decision]] = field(default_factory=list[tuple[Item, Decision]])
    _since: float = 0.0

    def item(self) -> Item | None:
        """The item to look at now; None when nothing is left for this person."""
        if not self.ahead:
            self.ahead = self.store.next_items(self.project.name, self.annotator, _AHEAD)
        self._since = self.clock()
        return self.ahead[0] if self.ahead else None

    def label(self, answer: Mapping[str, Any]) -> None:
        """Decide about the item.

        Raises:
            UsageError: L05, L06, L07 for an answer that cannot be; the item stays.
        """
        item = self.ahead[0]
        self._keep(item, "label", checked(self.project, item.content, answer))

    def skip(self) -> None:
        """Pass the item over; it counts as decided without an answer."""
        self._keep(self.ahead[0], "skip", None)

    def undo(self) -> bool:
        """Take the last decision back, and have its item again; False when there is none of this session."""
        if not self.made:
            return False
        item, decision = self.made.pop()
        taken = Decision(
            event=uuid.uuid4().hex, item=item.number, annotator=self.annotator, kind="undo",
            undoes=decision.event,
        )  # fmt: skip
        self.store.decide(self.project.name, [taken])
        self.ahead.insert(0, item)
        return True

    def standing(self) -> Standing:
        """How far the project is."""
        return self.store.standing(self.project.name)

    def close(self) -> None:
        """Give back what was not decided."""
        self.store.release_items(self.project.name, self.annotator)

    def _keep(self, item: Item, kind: Kind, answer: Answer | None) -> None:
        suggested = item.suggested[0].answer if item.suggested else None
        decision = Decision(
            event=uuid.uuid4().hex, item=item.number, annotator=self.annotator, kind=kind, answer=answer,
            suggested=suggested, seconds=round(self.clock() - self._since, 3),
        )  # fmt: skip
        self.store.decide(self.project.name, [decision])
        self.made.append((item, decision))
        self.ahead.pop(0)
        self.told(self.project)
