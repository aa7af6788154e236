"""From row numbers in a profile to rows that can be shown: place, text and label, personal data masked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from tunesmith.data.hygiene.issue import Issue
from tunesmith.data.profile.given import Find
from tunesmith.data.profile.texts import masked

_SHOWN = 1_200
_CELL = 120
_ISSUES = 200


def issues_of(issues: Sequence[Issue]) -> dict[str, Any]:
    """How many of each kind, and the surest; variants of labels are told beside the labels."""
    doubts = [issue for issue in issues if issue.kind != "label_variant"]
    counts = Counter(issue.kind for issue in doubts)
    return {"counts": dict(counts), "rows": [asdict(issue) for issue in doubts[:_ISSUES]]}


def attach(profile: dict[str, Any], find: Find) -> None:
    """Fill in every row that is named with its place and its text, and mask personal data in all texts."""
    named = list(_named(profile))
    numbers = sorted({entry["row"] for entry in named})
    rows = dict(zip(numbers, find(numbers), strict=True))
    for entry, text in zip(named, masked([rows[entry["row"]].text for entry in named]), strict=True):
        row = rows[entry["row"]]
        entry.update(file=row.file, line=row.line, text=text[:_SHOWN], cut=len(text) > _SHOWN)
        if row.label is not None:
            entry["label"] = row.label
    for column in profile["columns"]:
        column["examples"] = [_short(text) for text in masked(column["examples"])]


def _named(value: Any) -> Iterable[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("row"), int):
            yield value
        for item in value.values():
            yield from _named(item)
    elif isinstance(value, list):
        for item in value:
            yield from _named(item)


def _short(text: str) -> str:
    return text if len(text) <= _CELL else text[:_CELL] + "…"
