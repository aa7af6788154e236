"""One row as a conversation: OpenAI messages, sharegpt turns, alpaca, or a prompt with its completion.

A conversation that can be used begins, after an optional system message, with the user, alternates, ends
with the assistant, and has no empty message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tunesmith.data import names
from tunesmith.data.table import as_text

TYPE = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))

_ROLES = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Which columns hold the parts of a conversation."""

    messages: str | None = None
    system: str | None = None
    prompt: str | None = None
    input: str | None = None
    completion: str | None = None
    history: str | None = None

    @property
    def has_pair(self) -> bool:
        """Whether there is a prompt and a completion."""
        return self.prompt is not None and self.completion is not None

    @property
    def kind(self) -> str:
        """What rows with a prompt and a completion are called."""
        return "alpaca" if (self.prompt or "").casefold() == "instruction" else "prompt_completion"

    def mapping(self) -> dict[str, str]:
        """Field to column, for the fields that have one."""
        pairs = ((field, getattr(self, field)) for field in self.__dataclass_fields__)
        return {field: column for field, column in pairs if column is not None}


def choices(columns: list[str], fields: Mapping[str, str]) -> list[Sources]:
    """All ways to find a conversation in these columns, the one that `fields` names first."""
    system = {"system": names.first_of(names.SYSTEM, columns)}
    beside = {
        **system,
        "input": names.first_of(names.INPUT, columns),
        "history": names.first_of(names.HISTORY, columns),
    }
    found = [Sources(**system, messages=c) for c in names.all_of(names.CONVERSATION, columns)]
    for prompt, answers in names.PAIRS:
        asked, answered = names.first_of((prompt,), columns), names.first_of(answers, columns)
        if asked and answered:
            found.append(Sources(**beside, prompt=asked, completion=answered))
    named = {field: column for field, column in fields.items() if field != "text"}
    first = Sources(**{**(system if "messages" in named else beside), **named})
    return [first, *found] if first.has_pair or first.messages else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The conversation of a row, or the reason why there is none; and the kind of row it was taken for."""

    messages: list[dict[str, str]] | None = None
    reason: str | None = None
    kind: str | None = None


class _RefusedError(Exception):
    """A row that cannot be used; the argument is the reason of the ledger."""


def convert(row: Mapping[str, Any], ways: Sequence[Sources]) -> Result:
    """The conversation of a row, by the first of `ways` whose columns it has."""
    for sources in ways:
        kind = _kind(row, sources)
        if kind is None:
            continue
        try:
            return Result(messages=_checked(_build(row, sources, kind)), kind=kind)
        except _RefusedError as refused:
            return Result(reason=str(refused), kind=kind)
    return Result(reason="unrecognised")


def series(conversations: Sequence[list[dict[str, str]] | None]) -> pl.Series:
    """A column of conversations; null where there is none."""
    # By way of flat columns: polars takes lists of dictionaries one row at a time, which is slow.
    sizes = pl.Series([len(turns) if turns else 0 for turns in conversations], dtype=pl.Int64)
    flat = [turn for turns in conversations for turn in turns or ()]
    turns = pl.DataFrame(
        {
            "_row": pl.Series(np.repeat(np.arange(len(sizes)), sizes.to_numpy()), dtype=pl.Int64),
            "role": pl.Series([turn["role"] for turn in flat], dtype=pl.String),
            "content": pl.Series([turn["content"] for turn in flat], dtype=pl.String),
        }
    )
    lists = turns.group_by("_row", maintain_order=True).agg(messages=pl.struct("role", "content"))
    rows = pl.DataFrame({"_row": range(len(sizes))}, schema={"_row": pl.Int64})
    return rows.join(lists, on="_row", how="left", maintain_order="left")["messages"].cast(TYPE)


def _kind(row: Mapping[str, Any], sources: Sources) -> str | None:
    if sources.messages is not None and (turns := row[sources.messages]):
        first = turns[0] if isinstance(turns, list) else None
        return "sharegpt" if isinstance(first, dict) and "from" in first else "messages"
    if sources.has_pair and row[str(sources.prompt)] is not None:
        return sources.kind
    return None


def _build(row: Mapping[str, Any], sources: Sources, kind: str) -> list[dict[str, str]]:
    turns = [_message("system", text) for text in _given(row, sources.system)]
    if kind in ("messages", "sharegpt"):
        return turns + _turns(row[str(sources.messages)])
    for history in _given(row, sources.history):
        turns += _history(history)
    asked = [_text(row[str(sources.prompt)]), *map(_text, _given(row, sources.input))]
    if not any(part.strip() for part in asked):
        raise _RefusedError("empty_prompt")
    turns.append({"role": "user", "content": "\n".join(part for part in asked if part)})
    turns.append(_message("assistant", row[str(sources.completion)]))
    return turns


def _given(row: Mapping[str, Any], column: str | None) -> list[Any]:
    """The cell of an optional column, or nothing."""
    return [] if column is None or row[column] in (None, "", []) else [row[column]]


def _history(history: Any) -> list[dict[str, str]]:
    """Earlier turns as alpaca has them: pairs of a question and an answer."""
    turns = []
    for pair in history if isinstance(history, list) else [None]:
        if not isinstance(pair, list) or len(pair) != 2:
            raise _RefusedError("bad_messages")
        turns += [_message("user", pair[0]), _message("assistant", pair[1])]
    return turns


def _turns(turns: Any) -> list[dict[str, str]]:
    if not isinstance(turns, list):
        raise _RefusedError("bad_messages")
    found = []
    for turn in turns:
        if not isinstance(turn, dict):
            raise _RefusedError("bad_messages")
        role = _ROLES.get(str(turn.get("role", turn.get("from"))).casefold())
        if role is None:
            raise _RefusedError("role_unknown")
        found.append(_message(role, turn.get("content", turn.get("value"))))
    return found


def _message(role: str, content: Any) -> dict[str, str]:
    return {"role": role, "content": _text(content)}


def _text(content: Any) -> str:
    text = "" if content is None else as_text(content)
    if text is None:
        raise _RefusedError("bad_messages")
    return text


def _checked(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    roles = [message["role"] for message in messages]
    spoken = roles[1:] if roles[:1] == ["system"] else roles
    expected = ["user", "assistant"] * (len(spoken) // 2)
    if not spoken or spoken != expected:
        raise _RefusedError("role_order")
    for message in messages:
        if not message["content"].strip():
            raise _RefusedError("empty_answer" if message["role"] == "assistant" else "empty_prompt")
    return messages
