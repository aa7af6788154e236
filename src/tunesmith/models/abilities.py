"""What a prompt template can show: which roles, and tools with their calls; found by trying it out.

A template that passes over a message in silence would train and serve a conversation without it. Tried are
messages of digits, which no template writes by itself or in another way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tunesmith.models import templates

ROLES = ("system", "user", "assistant", "tool")

_ASKED, _SAID, _CALLED, _FOUND = "7301984", "6152837", "4926173", "8374651"
_USER: Mapping[str, Any] = {"role": "user", "content": _ASKED}
_TOOL = {
    "type": "function",
    "function": {
        "name": f"f{_SAID}",
        "description": _SAID,
        "parameters": {"type": "object", "properties": {"n": {"type": "integer", "description": "n"}}},
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """The roles that a template shows, whether it shows tools, and whether calls must have ids for it."""

    roles: tuple[str, ...]
    tools: bool
    call_ids: bool


@lru_cache(maxsize=64)
def of(template: str, bos: str = "", eos: str = "") -> Abilities:
    """What a template can show; no role at all when it shows not even a question.

    Raises:
        ModelError: M70 when it does more than any prompt needs.
    """

    def shows(messages: Sequence[Mapping[str, Any]], *words: str, tools: bool = False) -> bool:
        try:
            text = templates.render(
                template, messages=messages, tools=[_TOOL] if tools else None, documents=None,
                bos_token=bos, eos_token=eos, add_generation_prompt=messages[-1]["role"] != "assistant",
            )  # fmt: skip
        except templates.ERRORS:
            return False
        return all(word in text for word in words)

    answer: Mapping[str, Any] = {"role": "assistant", "content": _SAID}
    tried: dict[str, tuple[list[Mapping[str, Any]], list[str]]] = {
        "system": ([{"role": "system", "content": _SAID}, _USER], [_SAID, _ASKED]),
        "user": ([_USER], [_ASKED]),
        "assistant": ([_USER, answer], [_SAID]),
    }
    plain = shows(_called(ids=False), _CALLED, _FOUND, tools=True)
    numbered = not plain and shows(_called(ids=True), _CALLED, _FOUND, tools=True)
    roles = {role for role, (messages, words) in tried.items() if shows(messages, *words)}
    calls = plain or numbered
    return Abilities(
        roles=tuple(role for role in ROLES if role in roles or (role == "tool" and calls)),
        tools=calls and shows([_USER], _SAID, tools=True),
        call_ids=numbered,
    )


def _called(*, ids: bool) -> list[Mapping[str, Any]]:
    """A question for which a function is called and answers."""
    call = {"type": "function", "function": {"name": f"f{_CALLED}", "arguments": {"n": 1}}}
    result = {"role": "tool", "content": _FOUND, "name": f"f{_CALLED}"}
    if ids:
        call, result = {**call, "id": "call00001"}, {**result, "tool_call_id": "call00001"}
    return [_USER, {"role": "assistant", "content": "", "tool_calls": [call]}, result]
