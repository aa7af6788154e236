"""What a prompt template is given: messages and tools, decoded, made harmless, and marked where answers are.

Templates of the `transformers` world take calls as objects, `{"function": {"name", "arguments"}}`, and tools
as OpenAI writes them. Rows and requests may hold both as JSON text. Nothing here knows a template.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tunesmith.core.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Message = Mapping[str, Any]
Tools = str | Sequence[Mapping[str, Any]] | None

# Private-use characters that mark an answer while a template is rendered; they never reach a tokenizer.
OPEN, CLOSE = "\uf8f0", "\uf8f1"
# What ends a model's thoughts before its answer, in the families that think aloud.
THOUGHT = "</think>"
# The names under which thoughts come beside the content; templates read the first.
_THOUGHTS = ("reasoning_content", "thinking", "reasoning")
# Put into the middle of a special token that stands in somebody's message: invisible, and ends the token.
_JOINER = "\u2060"


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A conversation as templates take it; `tools` are the functions that the assistant may call."""

    turns: list[Message]
    tools: list[dict[str, Any]] | None = None

    @property
    def calls(self) -> bool:
        """Whether the assistant calls a function in it."""
        return any("tool_calls" in turn for turn in self.turns)

    @property
    def uses_tools(self) -> bool:
        """Whether a template has to know of tools to render it."""
        return self.tools is not None or self.calls

    def first(self, count: int) -> Talk:
        """The talk as it was after `count` turns."""
        return replace(self, turns=self.turns[:count])


def decoded(messages: Sequence[Message], tools: Tools = None) -> Talk:
    """Messages and tools with JSON text read, and without keys that say nothing.

    Raises:
        ModelError: M31 when the text is not JSON, or not calls or tools.
    """
    return Talk(turns=[_turn(message) for message in messages], tools=_tools(tools))


def _turn(message: Message) -> Message:
    calls = _listed(message.get("tool_calls"), "tool_calls")
    turn = {key: value for key, value in message.items() if key != "tool_calls" and value is not None}
    turn["content"] = turn.get("content") or ""
    thoughts = next((turn[name] for name in _THOUGHTS if name in turn), None)
    if thoughts is not None:
        turn |= {"reasoning_content": thoughts, "thinking": turn.get("thinking", thoughts)}
    return {**turn, "tool_calls": [_call(call) for call in calls]} if calls else turn


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    function = call.get("function", call)
    try:
        arguments = function["arguments"]
        given = json.loads(arguments) if isinstance(arguments, str) else arguments
        named = {"name": str(function["name"]), "arguments": dict(given)}
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError("M31", what="tool_calls", reason=str(error)) from error
    about = {key: value for key, value in call.items() if key in ("id", "type") and value is not None}
    return {"type": "function", **about, "function": named}


def _tools(tools: Tools) -> list[dict[str, Any]] | None:
    """Tools as OpenAI writes them; a bare function becomes one."""
    found = [
        dict(tool) if "function" in tool else {"type": "function", "function": dict(tool)}
        for tool in _listed(tools, "tools")
    ]
    return found or None


def _listed(given: Any, what: str) -> list[Mapping[str, Any]]:
    try:
        found = json.loads(given) if isinstance(given, str) and given.strip() else given
    except ValueError as error:
        raise ModelError("M31", what=what, reason=str(error)) from error
    items = [found] if isinstance(found, Mapping) else list(found or ())
    if not all(isinstance(item, Mapping) for item in items):
        raise ModelError("M31", what=what, reason="not a list of JSON objects")
    return items


def words(messages: Sequence[Message], tools: Tools = None) -> list[str]:
    """All text of a conversation: what is said, the calls, and the tools."""
    talk = decoded(messages, tools)
    said = [turn["content"] for turn in talk.turns]
    calls = [call["function"] for turn in talk.turns for call in turn.get("tool_calls", ())]
    return said + [json.dumps(value, ensure_ascii=False) for value in (*calls, *(talk.tools or ()))]


def harmless(talk: Talk, tokenizer: Tokenizer) -> Talk:
    """The talk with everything taken apart that would end a turn, begin another, or mark an answer."""
    special = {t.content for t in tokenizer.get_added_tokens_decoder().values() if t.special}
    forbidden = dict.fromkeys((OPEN, CLOSE), "")
    forbidden |= {token: token[:1] + _JOINER + token[1:] for token in special if len(token) > 1}

    def change(text: str) -> str:
        for old, new in forbidden.items():
            if old in text:
                text = text.replace(old, new)
        return text

    return Talk(turns=_changed(talk.turns, change), tools=_changed(talk.tools, change))


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with every text in it changed, keys included."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {change(key): _changed(item, change) for key, item in value.items()}
    return [_changed(item, change) for item in value] if isinstance(value, list) else value


def numbered(talk: Talk) -> Talk:
    """The talk with ids for calls that have none, and for the results that follow them in order."""
    made: list[Message] = []
    open_calls: list[str] = []
    for number, turn in enumerate(talk.turns):
        if "tool_calls" in turn:
            calls = [{"id": f"call{number:03}{i:02}", **call} for i, call in enumerate(turn["tool_calls"])]
            open_calls = [call["id"] for call in calls]
            turn = {**turn, "tool_calls": calls}
        elif turn["role"] == "tool" and "tool_call_id" not in turn and open_calls:
            turn = {**turn, "tool_call_id": open_calls.pop(0)}
        made.append(turn)
    return replace(talk, turns=made)


def marks(turn: Message) -> int:
    """How many marks `mark` puts into a turn: one around what is said, one around the name of each call."""
    if turn["role"] != "assistant":
        return 0
    calls = turn.get("tool_calls", ())
    return len(calls) + bool(not calls or turn["content"].strip())


def mark(turn: Message) -> Message:
    """A turn of the assistant with marks before and after its words, and around the names of its calls."""
    if turn["role"] != "assistant":
        return turn
    if "tool_calls" not in turn:
        return {**turn, "content": _between(turn["content"])}
    calls = [
        {**call, "function": {**call["function"], "name": _between(call["function"]["name"])}}
        for call in turn["tool_calls"]
    ]
    # Templates ask whether there is any content beside the calls: marks around nothing would be some.
    content = _between(turn["content"]) if turn["content"].strip() else turn["content"]
    return {**turn, "content": content, "tool_calls": calls}


def mark_trimmed(turn: Message) -> Message:
    """The marks inside surrounding whitespace, for templates that trim it off."""
    content = turn["content"]
    inner = content.strip()
    marked = mark({**turn, "content": inner})
    return {**marked, "content": content.replace(inner, marked["content"], 1)}


def mark_after_thought(turn: Message) -> Message:
    """The marks around what follows a thought, for templates that leave the thought out or write it anew."""
    thought, end, said = turn["content"].rpartition(THOUGHT)
    marked = mark_trimmed({**turn, "content": said})
    return {**marked, "content": thought + end + marked["content"]}


def _between(text: str) -> str:
    return f"{OPEN}{text}{CLOSE}"


def unmarked(marked: str) -> str:
    """A text without its marks."""
    return marked.replace(OPEN, "").replace(CLOSE, "")


def is_paired(marked: str, count: int) -> bool:
    """Whether a text has so many pairs of marks, one after another."""
    return [c for c in marked if c in (OPEN, CLOSE)] == [OPEN, CLOSE] * count


def spans(marked: str) -> tuple[str, list[tuple[int, int]]]:
    """A text without its marks, and from where to where in it each of them reached."""
    plain, *answers = marked.split(OPEN)
    found: list[tuple[int, int]] = []
    for text in answers:
        content, _, after = text.partition(CLOSE)
        found.append((len(plain), len(plain) + len(content)))
        plain += content + after
    return plain, found
