"""The phrases as data: families of messages, what surrounds them, values of slots, and patterns of replies.

In a phrase `[x]` may be left out, `(a|b)` is one of the two, `{slot}` is a value of that slot. In a reply
`[slot:a|b]` is `a` when the message named that slot and `b` otherwise.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from tunesmith.workflow.sample.dice import Dice

LANGUAGES = ("en", "zh")
_CHOICE = re.compile(r"\[([^\[\]()]*)\]|\(([^\[\]()]*)\)")
_SLOT = re.compile(r"\{(\w+)\}")
_CONDITION = re.compile(r"\[(\w+):([^|\]]*)\|([^\]]*)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One way of saying one thing; `before` and `after` are what people add on its topic in general."""

    id: str
    topic: str
    language: str
    say: tuple[str, ...]
    reply: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    around: tuple[str, ...]


def _table(name: str) -> dict[str, Any]:
    folder = files("tunesmith.workflow.sample").joinpath("phrases")
    return tomllib.loads(folder.joinpath(f"{name}.toml").read_text(encoding="utf-8"))


@cache
def common(language: str) -> Mapping[str, Any]:
    """What all topics share in one language."""
    found: dict[str, Any] = _table("common")[language]
    return found


@cache
def families() -> tuple[Family, ...]:
    """All families, sorted by id."""
    folder = files("tunesmith.workflow.sample").joinpath("phrases")
    names = (file.name for file in folder.iterdir() if file.name.endswith(".toml"))
    topics = {name.removesuffix(".toml") for name in names} - {"common"}
    found = [family for topic in topics for family in _families(_table(topic))]
    return tuple(sorted(found, key=lambda family: family.id))


def _families(table: Mapping[str, Any]) -> list[Family]:
    return [
        Family(
            id=f"{table['topic']}-{language}-{name}",
            topic=table["topic"],
            language=language,
            say=tuple(entry["say"]),
            reply=table["replies"][language][entry["reply"]],
            before=tuple(table["before"][language]),
            after=tuple(table["after"][language]),
            around=tuple(entry.get("around", table["around"])),
        )
        for language in LANGUAGES
        for name, entry in table[language].items()
    ]


def choose(dice: Dice, phrase: str) -> str:
    """The phrase with its optional parts and alternatives decided, innermost first."""
    while match := _CHOICE.search(phrase):
        optional, alternatives = match.groups()
        if optional is None:
            said = dice.pick(alternatives.split("|"))
        else:
            said = optional if dice.chance(0.5) else ""
        phrase = phrase[: match.start()] + said + phrase[match.end() :]
    return phrase


def fill(dice: Dice, phrase: str, slots: Mapping[str, Sequence[str]], known: dict[str, str]) -> str:
    """The phrase with its slots filled; what was drawn is added to `known`.

    `product_device` is a narrower list of values for `product` and is kept under that name.
    """

    def value(match: re.Match[str]) -> str:
        key = match[1].partition("_")[0]
        if key not in known:
            drawn = dice.pick(slots[match[1]])
            known[key] = re.sub("#", lambda _: str(dice.number(10)), drawn)
        return known[key]

    return _SLOT.sub(value, phrase)


def answer(reply: str, known: Mapping[str, str]) -> str:
    """The reply that fits what the message named."""
    said = _CONDITION.sub(lambda match: match[2] if match[1] in known else match[3], reply)
    return _SLOT.sub(lambda match: known[match[1]], said)
