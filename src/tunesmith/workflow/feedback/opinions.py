"""From the log of requests to rows that can be learned: answers that somebody corrected or approved of.

The log has personal data masked already; it is masked again here, because a log may come from elsewhere.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tunesmith.data.cleaners.pii import mask
from tunesmith.workflow.feedback.answered import Record, Row, UnfitError, Wanted, row_of

ID, WHEN, KIND = "feedback_id", "feedback_at", "feedback"
"""Columns that stay with a row: of which answer it comes, when that was judged, and how."""


def gather(folder: Path, name: str) -> tuple[list[Row], Counter[str]]:
    """The rows that opinions on a model's answers make, in order of time; and how many do not, by reason.

    Of opinions on the same question the last counts.
    """
    rows: dict[str, Row] = {}
    counts: Counter[str] = Counter()
    for request, opinion in _judged(folder, name):
        try:
            row = _row(request, opinion)
        except UnfitError as unfit:
            counts[str(unfit)] += 1
            continue
        key = _question(row)
        counts["superseded"] += key in rows
        rows.pop(key, None)
        rows[key] = {**_masked(row), ID: opinion["id"], WHEN: opinion["at"], KIND: _kind(opinion)}
    return list(rows.values()), +counts


def labels_of(folder: Path, name: str) -> list[str]:
    """The labels that a model chose among in what it was asked, in its order."""
    found: dict[str, None] = {}
    for record in _records(folder):
        if record.get("route") == "/v1/classify" and _name(record) == name:
            for one in (record.get("answer") or {}).get("data") or ():
                found |= dict.fromkeys(one.get("probabilities") or ())
    return list(found)


def names(folder: Path) -> list[str]:
    """The models on whose answers somebody has an opinion."""
    asked: dict[tuple[str, str], str] = {}
    found: set[str] = set()
    for record in _records(folder):
        if record.get("kind") == "feedback":
            found.add(asked.get((record["id"], record["key"]), ""))
        else:
            asked |= {(one, record["key"]): _name(record) for one in _ids(record)}
    return sorted(found - {""})


def _ids(record: Record) -> list[str]:
    """By what an opinion may name a request."""
    return [one for one in (record.get("id"), record.get("request_id")) if one]


def _judged(folder: Path, name: str) -> Iterator[tuple[Record, Record]]:
    """Requests to a model, whatever its version, beside what was said of their answers."""
    asked: dict[tuple[str, str], Record] = {}
    opinions: list[Record] = []
    for record in _records(folder):
        if record.get("kind") == "feedback":
            opinions.append(record)
        elif _name(record) == name:
            asked |= {(one, record["key"]): record for one in _ids(record)}
    for opinion in sorted(opinions, key=lambda one: float(one["at"])):
        request = asked.get((opinion["id"], opinion["key"]))
        if request is not None:
            yield request, opinion


def _records(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                # A crash may have cut a line.
                with suppress(ValueError):
                    yield json.loads(line)


def _name(record: Record) -> str:
    answered = record.get("answer") or {}
    asked = record.get("request") or {}
    return str(answered.get("model") or asked.get("model") or "").partition("@")[0]


def _correction(opinion: Record) -> Wanted:
    """What the answer should have been; None where nothing but spaces was sent."""
    wanted: Wanted = opinion.get("correction")
    return None if isinstance(wanted, str) and not wanted.strip() else wanted


def _kind(opinion: Record) -> str:
    return "good" if _correction(opinion) is None else "correction"


def _row(request: Record, opinion: Record) -> Row:
    wanted = _correction(opinion)
    if wanted is None and opinion.get("rating") != "good":
        raise UnfitError("no_correction")
    return row_of(request, wanted)


def _question(row: Row) -> str:
    """What was asked, without regard to case and spaces."""
    said = (
        row.get("text")
        or row.get("source")
        or f"{row.get('question', '')} {row.get('context', '')}".strip()
        or json.dumps(row.get("messages", [])[:-1], ensure_ascii=False)
    )
    return " ".join(str(said).casefold().split())


def _masked(row: Row) -> Row:
    if "spans" in row or "answers" in row:
        return row
    if "messages" in row:
        contents = mask([turn["content"] for turn in row["messages"]])
        turns = zip(row["messages"], contents, strict=True)
        return {"messages": [{**turn, "content": content} for turn, content in turns]}
    names = [name for name in row if name != "label"]
    return {**row, **dict(zip(names, mask([row[name] for name in names]), strict=True))}
