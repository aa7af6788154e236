"""A labelling project made of files: what is shown of each row, the labels, what is labelled twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tunesmith.core.errors import UsageError
from tunesmith.core.registry import suggestion
from tunesmith.core.store import Store
from tunesmith.core.store.labelling import Item, Label, Project, Suggestion
from tunesmith.data import shapes
from tunesmith.data.annotation.contents import Shown, contents
from tunesmith.data.annotation.kinds import (
    CLASS,
    GUESSED,
    KEYS,
    KINDS,
    LABELLED,
    LEARNED,
    MULTILABEL,
    SHAPES,
    SPANS,
)
from tunesmith.data.hygiene.issue import Issue
from tunesmith.data.loading import stop_for
from tunesmith.data.pipeline import stream
from tunesmith.workflow.dataset import section
from tunesmith.workflow.dataset.looking import doubts

GIVEN = "given"
"""Who suggests what a row says already; the order of rows in their files."""

ORDERS = (GIVEN, "random")
"""Orders that no model changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a project shall be; without `kind` and `labels` it is as the rows are.

    `doubtful`: only rows that are probably wrong (`data.issues`), the surest first.
    """

    name: str
    kind: str | None = None
    labels: Sequence[str] = ()
    guideline: str = ""
    overlap: float = 0.0
    order: str = GIVEN
    random: float = 0.1
    scale: int = 5
    seed: int = 0
    suggesters: Sequence[Mapping[str, object]] = ()
    doubtful: bool = False


def require_order(order: str, kind: str) -> None:
    """Refuse an order by a model where none learns.

    Raises:
        UsageError: L15.
    """
    if order not in ORDERS and kind not in LEARNED:
        raise UsageError("L15", order=order, kind=kind, kinds=", ".join(LEARNED))


def create(
    store: Store, files: Sequence[str], wish: Wish, *, fields: Mapping[str, str], gold: Sequence[str] = ()
) -> Project:
    """Make a project of the rows of files; rows of `gold` files, whose answers count as right, are mixed in.

    Raises:
        NotFoundError, DataError: when files cannot be read.
        UsageError: L08 when their rows cannot be labelled so, L09 without labels, L10 without rows, L11
            for no such kind, L15 for an order by a model where none learns, and what
            `Store.create_project` raises.
    """
    kind, rows = _read(files, wish.kind, fields, wish.seed)
    require_order(wish.order, kind)
    if not rows:
        raise UsageError("L10", files=", ".join(files))
    known = [*rows, *(_read(gold, kind, fields, wish.seed)[1] if gold else [])]
    labels = _labels(kind, wish.labels, known)
    project = Project(
        name=wish.name, task=kind, guideline=wish.guideline, labels=labels, source=", ".join(files),
        overlap=wish.overlap, order=wish.order, random=wish.random, scale=wish.scale, seed=wish.seed,
        suggesters=tuple(wish.suggesters),
    )  # fmt: skip
    if wish.doubtful:
        return store.create_project(project, _reviewed(files, kind, rows, fields))
    return store.create_project(project, _items(project, rows, known[len(rows) :]))


def name_of(file: str) -> str:
    """The name of a project for a file: that of the file, without what a name may not have."""
    return re.sub(r"[^\w.-]+", "-", Path(file).stem).strip("-_.")[:64] or "labels"


def with_keys(names: Sequence[str]) -> tuple[Label, ...]:
    """Labels with keys: `name`, or `name=key` for a key of one's own.

    Raises:
        UsageError: L12 when two labels have one name or key.
    """
    own = [(name, key) if key else (name, "") for name, _, key in (n.partition("=") for n in names)]
    taken = {key for _, key in own if key}
    free = iter(key for key in KEYS if key not in taken)
    labels = tuple(Label(name=name.strip(), key=key or next(free, "")) for name, key in own)
    counted = Counter([label.name for label in labels] + [label.key for label in labels if label.key])
    doubled = [name for name, n in Counter(label.name for label in labels).items() if n > 1]
    doubled += [key for key, n in Counter(label.key for label in labels if label.key).items() if n > 1]
    if doubled:
        raise UsageError("L12", name=doubled[0], count=counted[doubled[0]])
    return labels


def _read(
    files: Sequence[str], kind: str | None, fields: Mapping[str, str], seed: int
) -> tuple[str, list[Shown]]:
    if kind is not None and kind not in KINDS:
        raise UsageError("L11", name=kind, **suggestion(kind, list(KINDS)))
    # Where unlabelled rows are somebody's business they are not bad; that cleaner itself does not run.
    found = section.of_files(files, task=_shape(kind, fields), fields=fields, clean=["drop_unlabelled"])
    chosen = kind or GUESSED.get(found.shape, CLASS)
    with TemporaryDirectory() as folder:
        streamed = stream(
            found.data, shape=found.shape, base=found.base, folder=Path(folder), keep=True, cleaners=()
        )
        stop_for(streamed.problems)
        frames = (frame for split in streamed.rows for frame in streamed.frames(split))
        return chosen, [one for frame in frames for one in contents(frame, found.shape, chosen, seed=seed)]


def _shape(kind: str | None, fields: Mapping[str, str]) -> str | None:
    """The shape to read rows in: what they have, unless columns were named."""
    if not fields:
        return None
    return shapes.TEXT if set(fields) == {"text"} or kind is None else SHAPES[kind]


def _labels(kind: str, named: Sequence[str], rows: Sequence[Shown]) -> tuple[Label, ...]:
    if kind not in LABELLED:
        return ()
    names = named or _seen(kind, rows)
    if not names:
        raise UsageError("L09", kind=kind)
    return with_keys(names)


def _seen(kind: str, rows: Sequence[Shown]) -> list[str]:
    """The labels that rows have already, the most frequent first."""
    counted = Counter(name for row in rows if row.given is not None for name in _names(kind, row.given))
    return sorted(counted, key=lambda name: (-counted[name], name))


def _names(kind: str, given: Mapping[str, object]) -> Iterator[str]:
    values = {CLASS: [given.get("label")], MULTILABEL: given.get("labels"), SPANS: given.get("spans")}[kind]
    for value in values if isinstance(values, list) else ():
        yield value["label"] if kind == SPANS else value


def _items(project: Project, rows: Sequence[Shown], gold: Sequence[Shown]) -> Iterator[Item]:
    """All rows in the order of the project, some for two people, some drawn at random; gold in between."""
    rng = np.random.default_rng(project.seed)
    places = np.arange(len(rows)) if project.order == GIVEN else rng.permutation(len(rows))
    twice = set(rng.permutation(len(rows))[: round(project.overlap * len(rows))].tolist())
    share = 0 if project.order in ORDERS else project.random
    drawn = set(rng.permutation(len(rows))[: round(share * len(rows))].tolist())
    for number, (row, place) in enumerate(zip(rows, places, strict=True)):
        why = "random" if number in drawn else GIVEN
        yield Item(
            number=number, content=row.content, rank=float(place), why=why,
            wanted=2 if number in twice else 1, suggested=_as_suggested(row),
        )  # fmt: skip
    for i, row in enumerate(gold):
        item = Item(number=len(rows) + i, content=row.content, wanted=0, why="gold", gold=row.given)
        yield replace(item, rank=(i + 0.5) * len(rows) / len(gold))


def _reviewed(
    files: Sequence[str], kind: str, rows: Sequence[Shown], fields: Mapping[str, str]
) -> list[Item]:
    """The rows in doubt, the surest doubt first; suggested are what they should say, and what they do."""
    by_row = {row.row: row for row in rows}
    found, _ = doubts(section.of_files(files, task=SHAPES[kind], fields=fields))
    items: list[Item] = []
    for issue in found:
        row = by_row.pop(issue.row, None) if issue.kind != "duplicate" else None
        if row is not None:
            at = len(items)
            suggested = (*_better(kind, issue), *_as_suggested(row))
            items.append(
                Item(number=at, content=row.content, rank=float(at), why="review", suggested=suggested)
            )
    return items


def _better(kind: str, issue: Issue) -> tuple[Suggestion, ...]:
    if kind != CLASS or issue.suggested is None:
        return ()
    return (Suggestion(by="doubt", answer={"label": issue.suggested}, score=round(issue.score, 4)),)


def _as_suggested(row: Shown) -> tuple[Suggestion, ...]:
    return () if row.given is None else (Suggestion(by=GIVEN, answer=row.given, score=1.0),)
