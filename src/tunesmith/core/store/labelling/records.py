"""What labelling is told in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["label", "skip", "undo", "settle"]
Answer: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label that may be given, the key that gives it, and what it means."""

    name: str
    key: str = ""
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What is to be labelled, how, and by how many.

    `overlap` is the share of items that two people label, `order` how items are queued, `random` the share
    that is drawn at random whatever the order, for an honest estimate.
    """

    name: str
    task: str
    guideline: str = ""
    labels: tuple[Label, ...] = ()
    source: str = ""
    overlap: float = 0.0
    order: str = "given"
    random: float = 0.1
    scale: int = 5
    seed: int = 0
    suggesters: tuple[Mapping[str, Any], ...] = ()
    created: float = 0.0

    def settings(self) -> dict[str, Any]:
        """What is kept as one value."""
        names = ("source", "overlap", "order", "random", "scale", "seed")
        return {name: getattr(self, name) for name in names} | {"suggesters": list(self.suggesters)}

    def named_labels(self) -> list[dict[str, str]]:
        """The labels as plain values."""
        return [asdict(label) for label in self.labels]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What a model or rule would answer, and how sure it is, from 0 to 1."""

    by: str
    answer: Answer
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to label: its number in the project, what is shown, and its place in the queue.

    `wanted` people are to label it; 0 is everybody. `why` says how it came to its place: `given`, `random`,
    `model`, `gold` (its `gold` answer is known) or `review`. `settled` is the decision that ended a
    disagreement.
    """

    number: int
    content: Mapping[str, Any]
    rank: float = 0.0
    wanted: int = 1
    why: str = "given"
    gold: Answer | None = None
    suggested: tuple[Suggestion, ...] = ()
    settled: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What somebody decided about an item: when (`made`), how long it took, what they saw suggested.

    `event` is the name that its maker gave it; `undoes` is the event that an `undo` takes back.
    """

    event: str
    item: int
    annotator: str
    kind: Kind = "label"
    answer: Answer | None = None
    suggested: Answer | None = None
    seconds: float = 0.0
    made: float = 0.0
    undoes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a project is.

    `decided` are the items that as many as are wanted have labelled, `decisions` all that stand (`skipped`
    ones too), `held` the items that somebody looks at now, `by` the decisions of each annotator.
    """

    items: int
    decided: int
    decisions: int
    skipped: int
    settled: int
    held: int
    by: Mapping[str, int] = field(default_factory=dict[str, int])
