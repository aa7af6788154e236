"""Conversations: what turns are called, how they are read, and which order can be learned from.

After an optional system message the user begins; user and assistant alternate; an assistant that calls tools
is followed by their answers and speaks again. Nothing is empty but the text beside a call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tunesmith.data.layouts import tools
from tunesmith.data.layouts.layout import RefusedError
from tunesmith.data.table import as_text

Turn = dict[str, str | None]

_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "function_call": "call",
    "tool_call": "call",
    "observation": "tool",
    "tool": "tool",
    "function": "tool",
    "ipython": "tool",
}
_ROLE_OF_TAG = {
    "system_tag": "system",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "function_tag": "call",
    "observation_tag": "tool",
}
# What may follow what; `calls` is an assistant that calls tools.
_FOLLOWS = {
    "": ("user",),
    "user": ("assistant", "calls"),
    "assistant": ("user",),
    "calls": ("tool",),
    "tool": ("tool", "assistant", "calls"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What turns call their parts: the keys of role and content, and the names of roles."""

    role: tuple[str, ...] = ("role", "from")
    content: tuple[str, ...] = ("content", "value")
    roles: Mapping[str, str] = field(default_factory=lambda: _ROLES)

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Tags:
        """The usual ones and, before them, those that `data.fields` gives."""
        if not fields.keys() & _TAGS:
            return _USUAL
        named = {fields[tag].casefold(): role for tag, role in _ROLE_OF_TAG.items() if tag in fields}
        role = (fields["role_tag"],) if "role_tag" in fields else ()
        content = (fields["content_tag"],) if "content_tag" in fields else ()
        return cls(role=(*role, *cls().role), content=(*content, *cls().content), roles={**_ROLES, **named})


# The names under which thoughts stand beside the content.
_THOUGHTS = ("reasoning_content", "thinking", "reasoning")
_TAGS = frozenset(("role_tag", "content_tag", *_ROLE_OF_TAG))
_USUAL = Tags()


def message(role: str, content: Any) -> Turn:
    """A turn without calls.

    Raises:
        RefusedError: bad_messages when the content is no text.
    """
    return {"role": role, "content": text_of(content), "tool_calls": None}


def text_of(content: Any) -> str:
    """The text of a cell; OpenAI's list of text parts is joined.

    Raises:
        RefusedError: bad_messages when it is no text.
    """
    if isinstance(content, list) and content and all(_is_text_part(part) for part in content):
        content = "\n".join(part["text"] for part in content)
    text = "" if content is None else as_text(content)
    if text is None:
        raise RefusedError("bad_messages")
    return text


def _is_text_part(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)


def turns_of(cell: Any, tags: Tags) -> list[Turn]:
    """The turns of a list of messages, in any of the usual forms.

    Raises:
        RefusedError: bad_messages, role_unknown, bad_tools.
    """
    if not isinstance(cell, list):
        raise RefusedError("bad_messages")
    return [_turn(item, tags) for item in cell]


def _turn(item: Any, tags: Tags) -> Turn:
    if not isinstance(item, dict):
        raise RefusedError("bad_messages")
    role = tags.roles.get(str(_first(item, tags.role)).casefold())
    if role is None:
        raise RefusedError("role_unknown")
    content = _first(item, tags.content)
    if role == "call":
        return {"role": "assistant", "content": "", "tool_calls": _calls(content)}
    turn = message(role, content)
    if role == "assistant":
        turn["content"] = _with_thoughts(item, text_of(content))
    asked = item.get("tool_calls") or item.get("function_call")
    if role == "assistant" and asked:
        turn["tool_calls"] = _calls(asked)
    return turn


def _with_thoughts(item: dict[str, Any], said: str) -> str:
    """What is said after the thoughts that stand beside it, as models that think aloud write both."""
    thoughts = next((item[name] for name in _THOUGHTS if isinstance(item.get(name), str)), "").strip("\n")
    return f"<think>\n{thoughts}\n</think>\n\n{said}" if thoughts and "</think>" not in said else said


def _calls(cell: Any) -> str:
    found = tools.calls(cell)
    if found is None:
        raise RefusedError("bad_tools")
    return found


def _first(item: Mapping[str, Any], keys: Sequence[str]) -> Any:
    return next((item[key] for key in keys if key in item), None)


def checked(turns: Sequence[Turn]) -> list[Turn]:
    """A whole conversation: it begins with the user and ends with the assistant.

    Raises:
        RefusedError: role_order, empty_prompt, empty_answer.
    """
    return _ordered(turns, start="", ends=("assistant", "calls"))


def checked_prompt(turns: Sequence[Turn]) -> list[Turn]:
    """What comes before an answer: it ends with the user or what a tool said.

    Raises:
        RefusedError: role_order, empty_prompt, empty_answer.
    """
    return _ordered(turns, start="", ends=("user", "tool"))


def checked_answer(turns: Sequence[Turn]) -> list[Turn]:
    """What continues a prompt: the assistant begins and ends.

    Raises:
        RefusedError: role_order, empty_prompt, empty_answer.
    """
    return _ordered(turns, start="user", ends=("assistant", "calls"))


def _ordered(turns: Sequence[Turn], *, start: str, ends: tuple[str, ...]) -> list[Turn]:
    spoken = turns[1:] if not start and turns and turns[0]["role"] == "system" else turns
    before = start
    for turn in spoken:
        state = "calls" if turn["tool_calls"] else str(turn["role"])
        if state not in _FOLLOWS[before]:
            raise RefusedError("role_order")
        before = state
    if not spoken or before not in ends:
        raise RefusedError("role_order")
    for turn in turns:
        if not (turn["content"] or "").strip() and not turn["tool_calls"]:
            raise RefusedError("empty_answer" if turn["role"] == "assistant" else "empty_prompt")
    return list(turns)
