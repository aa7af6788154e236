"""The confusion matrix as a table or a picture, and the labels in the order they are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from tunesmith.eval.classes import ClassScore, Confusion, most_confused
from tunesmith.eval.report import Report
from tunesmith.pages import heat_map
from tunesmith.pages.words import Speaker, percent

# A table of numbers is read up to here; above it, a picture.
MAX_TABLE = 12
_MAX_PICTURE = 100
_MAX_PAIRS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A field of the confusion matrix: its count, colour class, opacity, and what it says."""

    count: int
    kind: str
    strength: float
    tip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """The confusion matrix as a table or, with many labels, as a picture; and the worst pairs."""

    table: tuple[tuple[Cell, ...], ...]
    picture: Markup | None
    pairs: tuple[Confusion, ...]
    wrong: int


def matrix(report: Report, say: Speaker) -> Matrix | None:
    """The confusion matrix, if the report is of a classification."""
    if not report.confusion:
        return None
    total = sum(map(sum, report.confusion))
    right = sum(row[i] for i, row in enumerate(report.confusion))
    count = len(report.labels)
    picture = None
    if MAX_TABLE < count <= _MAX_PICTURE:
        description = say("confusion_desc", right=f"{right:,}", rows=f"{total:,}")
        cells = _filled(report, say)
        picture = heat_map.heat_map(say("confusion"), description, report.labels, cells)
    table = tuple(_row(report, i, say) for i in range(count)) if count <= MAX_TABLE else ()
    pairs = most_confused(report.labels, report.confusion, _MAX_PAIRS)
    return Matrix(table=table, picture=picture, pairs=pairs, wrong=total - right)


def _row(report: Report, i: int, say: Speaker) -> tuple[Cell, ...]:
    row = report.confusion[i]
    return tuple(
        Cell(
            count=count,
            kind="right" if i == j else "wrong",
            strength=heat_map.strength(count / max(1, sum(row))),
            tip=_tip(report, i, j, say),
        )
        for j, count in enumerate(row)
    )


def _filled(report: Report, say: Speaker) -> Iterator[tuple[int, int, float, str]]:
    for i, row in enumerate(report.confusion):
        for j, count in enumerate(row):
            if count:
                yield i, j, count / sum(row), _tip(report, i, j, say)


def _tip(report: Report, i: int, j: int, say: Speaker) -> str:
    row = report.confusion[i]
    return say(
        "cell",
        target=report.labels[i],
        predicted=report.labels[j],
        count=row[j],
        total=sum(row),
        share=percent(row[j] / max(1, sum(row))),
    )


def ranked(report: Report) -> tuple[ClassScore, ...]:
    """The labels in their order, or with many of them the weakest first."""
    if len(report.per_class) <= MAX_TABLE:
        return report.per_class
    return tuple(sorted(report.per_class, key=lambda score: (score.f1, -score.support)))
