"""The route of kept requests: the newest ones, where the server was started to keep them."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query

from tunesmith.serve.policies import Policy, Route
from tunesmith.studio.deployment_answers import RequestRow, Requests
from tunesmith.studio.roles import ENGINEER
from tunesmith.studio.state import Studio

POLICIES: dict[Route, Policy] = {("GET", "/api/requests"): ENGINEER}
# Characters of what was asked and answered: a list, not the place to read on.
_SHOWN = 2000
_LINES = 20_000


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the route of kept requests into `app`."""

    @app.get("/api/requests")
    def requests(
        limit: Annotated[int, Query(ge=1, le=500)] = 100, model: Annotated[str, Query(max_length=256)] = ""
    ) -> Requests:
        """The newest requests, of one model if it is named; personal data is masked in them."""
        folder = studio.workspace.requests
        records = list(_newest(folder, model))
        said: dict[str, list[dict[str, Any]]] = {}
        for record in records:
            if record["kind"] == "feedback":
                opinion: dict[str, Any] = {
                    k: record[k] for k in ("rating", "correction", "comment") if k in record
                }
                said.setdefault(record["id"], []).append(opinion)
        asked = [record for record in records if record["kind"] == "request"][:limit]
        return Requests(on=studio.logs or folder.is_dir(), requests=[_row(record, said) for record in asked])


def _newest(folder: Path, model: str) -> Iterator[dict[str, Any]]:
    """The records of the last days, newest first, no more than are read in a moment."""
    left = _LINES
    for path in sorted(folder.glob("????-??-??.jsonl"), reverse=True):
        with path.open(encoding="utf-8") as file:
            lines = deque(file, maxlen=left)
        left -= len(lines)
        for line in reversed(lines):
            # A crash may have cut a line.
            with suppress(ValueError):
                record: dict[str, Any] = json.loads(line)
                if not model or record["kind"] == "feedback" or _model(record) == model:
                    yield record
        if left <= 0:
            return


def _row(record: Mapping[str, Any], said: Mapping[str, list[dict[str, Any]]]) -> RequestRow:
    ids = [record.get("id"), record.get("request_id")]
    return RequestRow(
        at=record["at"],
        route=record["route"],
        id=record.get("id") or record.get("request_id"),
        key=record["key"],
        status=record["status"],
        seconds=record["seconds"],
        model=_model(record),
        asked=_shown(_asked(record.get("request"))),
        answered=_shown(_answered(record.get("answer"))),
        feedback=[opinion for identity in ids if identity for opinion in said.get(identity, ())],
    )


def _model(record: Mapping[str, Any]) -> str:
    request = record.get("request")
    return str(request.get("model", "")) if isinstance(request, dict) else ""


def _asked(request: Any) -> Any:
    if not isinstance(request, dict):
        return ""
    messages = request.get("messages")
    if isinstance(messages, list) and messages and isinstance(messages[-1], dict):
        return messages[-1].get("content")
    return next((request[key] for key in ("prompt", "input", "question") if key in request), "")


def _answered(answer: Any) -> Any:
    if not isinstance(answer, dict):
        return ""
    if "error" in answer:
        return answer["error"].get("message")
    choices = answer.get("choices")
    if isinstance(choices, list):
        return [choice.get("text") or choice.get("message", {}).get("content") for choice in choices]
    return next((answer[key] for key in ("texts", "data", "output") if key in answer), "")


def _shown(value: Any) -> str:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text[:_SHOWN]
