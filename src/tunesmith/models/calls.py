"""How a model writes calls of tools: what stands around names and arguments, read off its template."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

from tunesmith.core.errors import ModelError
from tunesmith.models.contract import PromptContract
from tunesmith.models.turns import THOUGHT, Message

_NAMES = ("tool_one", "tool_two")
_ARGUMENTS = ({"first_key": "first_value"}, {"second_key": "second_value"})
_TOOLS = [
    {"type": "function", "function": {"name": name, "description": "-", "parameters": {"type": "object"}}}
    for name in _NAMES
]


@dataclass(frozen=True, slots=True)
class CallForm:
    """`before NAME between ARGUMENTS after`; from one call to the next, `middle` stands in place of `after`.

    `middle` is None where an answer has one call at most.
    """

    before: str
    between: str
    middle: str | None
    after: str


@lru_cache(maxsize=32)
def form_of(contract: PromptContract) -> CallForm | None:
    """The form of a contract's calls; None where its template shows none, or not as a name and JSON."""
    if not contract.abilities.tools:
        return None
    one = _between(_said(contract, 1), _marks(0))
    if one is None:
        return None
    before, between, after = one
    before = before.rpartition(THOUGHT)[2].lstrip()
    return CallForm(before, between, _middle(contract), after) if before else None


def _middle(contract: PromptContract) -> str | None:
    try:
        two = _between(_said(contract, 2), [*_marks(0), *_marks(1)])
    except ModelError:  # some templates refuse more than one call
        return None
    return two[2] if two else None


def _marks(number: int) -> list[str]:
    return [_NAMES[number], json.dumps(_ARGUMENTS[number])]


def _said(contract: PromptContract, count: int) -> str:
    """What the assistant says when it calls `count` tools; nothing where that changes the question."""
    calls = [
        {
            "id": f"call0000{i}",
            "type": "function",
            "function": {"name": _NAMES[i], "arguments": _ARGUMENTS[i]},
        }
        for i in range(count)
    ]
    question: Message = {"role": "user", "content": "question"}
    asked = contract.render([question], _TOOLS)
    whole = contract.render(
        [question, {"role": "assistant", "content": "", "tool_calls": calls}], _TOOLS, answer=False
    )
    if not whole.startswith(asked):
        return ""
    said = whole[len(asked) :]
    ends = [at for stop in (*contract.stop, contract.eos) if stop and (at := said.find(stop)) >= 0]
    return said[: min(ends, default=len(said))]


def _between(text: str, marks: list[str]) -> list[str] | None:
    """The text around the marks, which have to stand in it in this order."""
    parts = []
    for mark in marks:
        part, found, text = text.partition(mark)
        if not found:
            return None
        parts.append(part)
    return [*parts, text.rstrip()]
