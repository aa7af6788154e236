"""What is said of a row that is probably wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from tunesmith.core import text

Kind = Literal[
    "wrong_label",
    "label_variant",
    "tag_disagrees",
    "tag_untagged",
    "tag_edges",
    "tag_overlap",
    "answer_absent",
    "answer_empty",
    "answer_long",
    "answer_misplaced",
    "duplicate",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One doubt about one row.

    `row` is its number; `score` from 0 to 1 says how sure the doubt is, 1 is certain; `given` is what the
    row says and `suggested` what it should say, where that is known. `detail` holds what the sentence about
    the kind (`data.issue_KIND`) needs besides: places as code points, counts.
    """

    row: int
    kind: Kind
    score: float
    given: str
    suggested: str | None = None
    detail: Mapping[str, str | int] = field(default_factory=dict[str, str | int])


def sentence(issue: Issue, lang: str) -> str:
    """What is doubtful about the row, for a person."""
    values = {"given": issue.given, "suggested": issue.suggested or "-", **issue.detail}
    is_exact = issue.kind == "duplicate" and issue.score == 1
    return text.say(f"data.issue_{issue.kind}{'_exact' if is_exact else ''}", lang, **values)


def ranked(issues: Iterable[Issue]) -> list[Issue]:
    """The surest first; of equals the first row."""
    return sorted(issues, key=lambda issue: (-issue.score, issue.row, issue.kind, issue.given))
