"""From the log of requests to rows that can be learned: answers that somebody corrected or approved of.

The log has personal data masked already; it is masked again here, because a log may come from elsewhere.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tunesmith.data.cleaners.pii import mask

Record = Mapping[str, Any]
Row = dict[str, Any]
ID, WHEN, KIND = "feedback_id", "feedback_at", "feedback"
"""Columns that stay with a row: of which answer it comes, when that was judged, and how."""


class _UnfitError(Exception):
    """An opinion from which no row can be made; the argument is the reason."""


def gather(folder: Path, name: str) -> tuple[list[Row], Counter[str]]:
    """The rows that opinions on a model's answers make, in order of time; and how many do not, by reason.

    Of opinions on the same question the last counts.
    """
    rows: dict[str, Row] = {}
    counts: Counter[str] = Counter()
    for request, opinion in _judged(folder, name):
        try:
            row = _row(request, opinion)
        except _UnfitError as unfit:
            counts[str(unfit)] += 1
            continue
        key = _question(row)
        counts["superseded"] += key in rows
        rows.pop(key, None)
        rows[key] = {**_masked(row), ID: opinion["id"], WHEN: opinion["at"], KIND: _kind(opinion)}
    return list(rows.values()), +counts


def _judged(folder: Path, name: str) -> Iterator[tuple[Record, Record]]:
    """Requests to a model, whatever its version, beside what was said of their answers."""
    asked: dict[tuple[str, str], Record] = {}
    opinions: list[Record] = []
    for record in _records(folder):
        if record.get("kind") == "feedback":
            opinions.append(record)
        elif _name(record) == name:
            for identity in filter(None, (record.get("id"), record.get("request_id"))):
                asked[identity, record["key"]] = record
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


def _correction(opinion: Record) -> str | None:
    """What the answer should have been; None where nothing but spaces was sent."""
    wanted: str = opinion.get("correction") or ""
    return wanted if wanted.strip() else None


def _kind(opinion: Record) -> str:
    return "good" if _correction(opinion) is None else "correction"


def _row(request: Record, opinion: Record) -> Row:
    wanted = _correction(opinion)
    if wanted is None and opinion.get("rating") != "good":
        raise _UnfitError("no_correction")
    make = _ROUTES.get(request["route"])
    if (
        make is None
        or not isinstance(request.get("request"), dict)
        or not isinstance(request.get("answer"), dict)
    ):
        raise _UnfitError("other_route")
    try:
        return make(request["request"], request["answer"], wanted)
    except (KeyError, IndexError, TypeError) as error:
        raise _UnfitError("unreadable") from error


def _classified(asked: Record, answered: Record, wanted: str | None) -> Row:
    found = _only(answered["data"])
    if wanted is None:
        return {"text": _text(asked), "label": found["label"]}
    # A label that the model does not know is more often a slip than a new label.
    known = {label.strip().casefold(): label for label in found["probabilities"]}
    if wanted.strip().casefold() not in known:
        raise _UnfitError("unknown_label")
    return {"text": _text(asked), "label": known[wanted.strip().casefold()]}


def _rewritten(asked: Record, answered: Record, wanted: str | None) -> Row:
    said = _only(answered["data"])["text"]
    return {"source": _text(asked), "target": said if wanted is None else wanted}


def _chatted(asked: Record, answered: Record, wanted: str | None) -> Row:
    if any(not isinstance(turn.get("content"), str) or turn.get("tool_calls") for turn in asked["messages"]):
        raise _UnfitError("other_route")
    said = (
        answered["texts"] if "texts" in answered else [c["message"]["content"] for c in answered["choices"]]
    )
    turns = [{"role": turn["role"], "content": turn["content"]} for turn in asked["messages"]]
    return {"messages": [*turns, {"role": "assistant", "content": _only(said) if wanted is None else wanted}]}


def _text(asked: Record) -> str:
    texts = asked["input"]
    return texts if isinstance(texts, str) else str(_only(texts))


def _only(items: Any) -> Any:
    """The one item there is: of several it is not known which was meant."""
    if len(items) != 1:
        raise _UnfitError("several_texts")
    return items[0]


_ROUTES = {
    "/v1/classify": _classified,
    "/v1/translate": _rewritten,
    "/v1/summarise": _rewritten,
    "/v1/chat/completions": _chatted,
}


def _question(row: Row) -> str:
    """What was asked, without regard to case and spaces."""
    said = (
        row.get("text") or row.get("source") or json.dumps(row.get("messages", [])[:-1], ensure_ascii=False)
    )
    return " ".join(str(said).casefold().split())


def _masked(row: Row) -> Row:
    if "messages" in row:
        contents = mask([turn["content"] for turn in row["messages"]])
        turns = zip(row["messages"], contents, strict=True)
        return {"messages": [{**turn, "content": content} for turn, content in turns]}
    names = [name for name in row if name != "label"]
    return {**row, **dict(zip(names, mask([row[name] for name in names]), strict=True))}
