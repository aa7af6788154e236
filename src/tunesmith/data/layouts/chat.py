"""Conversations that stand in one column as a list: OpenAI messages, sharegpt, bare turns."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from tunesmith.data import names, shapes
from tunesmith.data.conversation import Tags, Turn, checked, message, turns_of
from tunesmith.data.layouts import tools
from tunesmith.data.layouts.layout import Mapped, RefusedError, Row, RowLayout, Sample, UnfitError


class Messages(RowLayout):
    """OpenAI: {"messages": [{"role", "content", "tool_calls"}], "tools"}."""

    name: ClassVar[str] = "messages"
    is_written: ClassVar[bool] = True
    shape: ClassVar[str] = shapes.MESSAGES
    fields: ClassVar[tuple[str, ...]] = ("messages", "system", "tools", *shapes.ROLE_TAGS)

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """The columns named like a conversation."""
        given = [fields["messages"]] if "messages" in fields else []
        columns = given or names.all_of(names.CONVERSATION, sample.columns)
        beside = beside_turns(sample, fields)
        return [{"messages": column, **beside} for column in columns if self._is_here(sample, column, fields)]

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Whether there is anything; what is no list of messages is refused."""
        return bool(row[mapping["messages"]])

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """The conversation and its tools."""
        turns = turns_of(row[mapping["messages"]], Tags.of(mapping))
        return checked([*system_of(row, mapping), *turns]), tools_of(row, mapping)

    def write(self, row: Row) -> Row:
        """The row as OpenAI has it."""
        return {"messages": openai(row["messages"]), **given_tools(row["tools"], decoded=True)}

    def _is_here(self, sample: Sample, column: str, fields: Mapped) -> bool:
        return any(
            self.takes({column: cell}, {**fields, "messages": column}) for cell in sample.cells(column)
        )


class Sharegpt(Messages):
    """{"conversations": [{"from": "human", "value": ...}], "tools": JSON text}."""

    name: ClassVar[str] = "sharegpt"
    is_written: ClassVar[bool] = True

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Whether turns say `from`, or what `role_tag` names."""
        first = _first(row[mapping["messages"]])
        return isinstance(first, dict) and ("from" in first or mapping.get("role_tag") in first)

    def write(self, row: Row) -> Row:
        """The row as LLaMA-Factory reads it."""
        return {"conversations": sharegpt(row["messages"]), **given_tools(row["tools"], decoded=False)}


class Alternating(Messages):
    """Turns without roles, as in KdConv: {"messages": [{"message": ...}]}; the user begins."""

    name: ClassVar[str] = "alternating"
    is_written: ClassVar[bool] = False

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Whether turns have a `message` and no role."""
        first = _first(row[mapping["messages"]])
        return isinstance(first, dict) and "message" in first and not first.keys() & {"role", "from"}

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """User and assistant in turn."""
        cell = row[mapping["messages"]]
        if not all(isinstance(item, dict) for item in cell):
            raise RefusedError("bad_messages")
        turns = [message(("user", "assistant")[i % 2], item.get("message")) for i, item in enumerate(cell)]
        return checked([*system_of(row, mapping), *turns]), tools_of(row, mapping)


class Questions(RowLayout):
    """What the user says only, as in MT-Bench: {"turns": [text]}. There is no answer to learn."""

    name: ClassVar[str] = "questions"
    shape: ClassVar[str] = shapes.MESSAGES
    fields: ClassVar[tuple[str, ...]] = ()

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """A column `turns` with lists of texts."""
        column = sample.named("turns")
        return [{"messages": column}] if column and sample.all_are(column, is_texts) else []

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Whether there are turns."""
        return bool(row[mapping["messages"]])

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """Always refused."""
        raise RefusedError("empty_answer")


def is_texts(cell: Any) -> bool:
    """Whether a cell is a list of texts."""
    return isinstance(cell, list) and bool(cell) and all(isinstance(item, str) for item in cell)


def _first(cell: Any) -> Any:
    return cell[0] if isinstance(cell, list) and cell else None


def beside_turns(sample: Sample, fields: Mapped) -> dict[str, str]:
    """System message, tools and role tags: what the user named, else the columns of those names."""
    found = {"system": sample.named(*names.SYSTEM), "tools": sample.named(*names.TOOLS)}
    usual = {field: column for field, column in found.items() if column is not None}
    return {
        **usual,
        **{field: fields[field] for field in fields if field in ("system", "tools", *shapes.ROLE_TAGS)},
    }


def system_of(row: Row, mapping: Mapped) -> list[Turn]:
    """The system message of a column of its own, or nothing."""
    cell = row[mapping["system"]] if "system" in mapping else None
    return [message("system", cell)] if cell not in (None, "", []) else []


def tools_of(row: Row, mapping: Mapped) -> str | None:
    """The tool definitions of a row."""
    return tools.definitions(row[mapping["tools"]]) if "tools" in mapping else None


def given_tools(definitions: str | None, *, decoded: bool) -> Row:
    """The entry of a written row that holds the tools, if there are any."""
    if definitions is None:
        return {}
    return {"tools": json.loads(definitions) if decoded else definitions}


def openai(turns: list[Turn]) -> list[Row]:
    """Turns as OpenAI has them; answers of tools get the identifiers of the calls, in order."""
    written: list[Row] = []
    waiting: list[str] = []
    for turn in turns:
        entry: Row = {"role": turn["role"], "content": turn["content"]}
        if turn["tool_calls"]:
            entry["tool_calls"] = json.loads(turn["tool_calls"])
            waiting = [call["id"] for call in entry["tool_calls"] if "id" in call]
        elif turn["role"] == "tool" and waiting:
            entry["tool_call_id"] = waiting.pop(0)
        written.append(entry)
    return written


_FROM = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}


def sharegpt(turns: list[Turn]) -> list[Row]:
    """Turns as sharegpt has them.

    Raises:
        UnfitError: text_beside_call.
    """
    return [_sharegpt_turn(turn) for turn in turns]


def _sharegpt_turn(turn: Turn) -> Row:
    if not turn["tool_calls"]:
        return {"from": _FROM[str(turn["role"])], "value": turn["content"]}
    if turn["content"]:
        raise UnfitError("text_beside_call")
    return {"from": "function_call", "value": tools.dumps(tools.plain(turn["tool_calls"]))}
