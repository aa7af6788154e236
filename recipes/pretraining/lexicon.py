"""Words and patterns in two languages, and the filling of patterns: a scene gives the same words to both."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from tunesmith.workflow.sample.dice import Dice

LANGUAGES = ("en", "zh")
Pair = tuple[str, str]

_SLOT = re.compile(r"\{(\w+)\}")
_ZH_DIGITS = "零一二三四五六七八九十"
_EN_NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip
_TABLES = {
    "name": "names", "person": "people", "family": "family", "animal": "animals", "fruit": "fruits",
    "vegetable": "vegetables", "dish": "dishes", "drink": "drinks", "thing": "things", "vehicle": "vehicles",
    "plant": "plants", "place": "places", "city": "cities", "colour": "colours", "quality": "qualities",
    "feeling": "feelings", "trait": "traits", "weather": "weather", "season": "seasons", "day": "days",
    "month": "months", "time": "times", "subject": "subjects", "sport": "sports",
}  # fmt: skip
_IRREGULAR = {
    "knife": "knives", "leaf": "leaves", "mouse": "mice", "goose": "geese", "sheep": "sheep", "fish": "fish",
    "deer": "deer", "wolf": "wolves", "bamboo": "bamboos", "pine": "pines", "toy car": "toy cars",
}  # fmt: skip
_PAST = (
    ("yesterday", "昨天"), ("last week", "上周"), ("last night", "昨晚"), ("this morning", "今天早上"),
)  # fmt: skip


@cache
def table(file: str, name: str) -> tuple[Pair, ...]:
    """The pairs of one table of `lexicon.toml` or `patterns.toml`."""
    return tuple(split(text) for text in _read(file)[name])


@cache
def talks() -> tuple[tuple[Pair, ...], ...]:
    """The talks, each a list of turns."""
    return tuple(tuple(split(turn) for turn in talk) for talk in _read("patterns")["talks"])


def words(name: str) -> tuple[Pair, ...]:
    """The words of a table, without measure words."""
    return tuple((english, chinese.partition("/")[0]) for english, chinese in table("lexicon", name))


def split(text: str) -> Pair:
    """English and Chinese of an entry."""
    english, _, chinese = text.partition("=")
    return english, chinese


@cache
def _read(file: str) -> dict[str, list[str]]:
    return tomllib.loads((Path(__file__).parent / f"{file}.toml").read_text(encoding="utf-8"))


def article(word: str) -> str:
    """A noun with `a` or `an`."""
    return f"{'an' if word[0].lower() in 'aeiou' else 'a'} {word}"


def plural(word: str) -> str:
    """The plural of a noun of the lexicon."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("man"):
        return word[:-3] + "men"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    if word.endswith(("s", "x", "ch", "sh")) or word in {"potato", "tomato", "mango"}:
        return word + "es"
    return word + "s"


def number(value: int) -> Pair:
    """A small number in words."""
    if value > 12:
        return str(value), str(value)
    chinese = _ZH_DIGITS[value] if value <= 10 else "十" + _ZH_DIGITS[value - 10]
    return _EN_NUMBERS[value], chinese


def many(word: str, chinese: str, count: int) -> Pair:
    """`count` things, with the Chinese measure word that the entry carries."""
    noun, _, unit = chinese.partition("/")
    said = number(count)
    amount = "两" if count == 2 else said[1]
    return f"{said[0]} {word if count == 1 else plural(word)}", f"{amount}{unit or '个'}{noun}"


class Scene:
    """Words drawn once for each slot, so that every sentence of a text speaks of the same things."""

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        self.drawn: dict[str, Pair] = {}

    def fill(self, pattern: Pair) -> Pair:
        """A pattern in both languages with its slots filled."""
        english = _SLOT.sub(lambda slot: self.value(slot[1])[0], pattern[0])
        chinese = _SLOT.sub(lambda slot: self.value(slot[1])[1], pattern[1])
        return english[:1].upper() + english[1:], chinese

    def value(self, slot: str) -> Pair:
        """What a slot says."""
        form, _, base = slot.rpartition("_")
        if slot == "time_past":
            return self._draw(slot, _PAST)
        if form:
            return self._formed(form, base)
        english, chinese = self._word(slot)
        return english, chinese.partition("/")[0]

    def _formed(self, form: str, base: str) -> Pair:
        if form == "a_colour":
            colour, (english, chinese) = self.value("colour"), self._word(base)
            return f"{article(colour[0])} {english}", f"一{chinese.partition('/')[2]}{colour[1]}的"
        english, chinese = self._word(base)
        if form == "a":
            return article(english), f"一{chinese.partition('/')[2] or '个'}{chinese.partition('/')[0]}"
        if form == "unit":
            return "", chinese.partition("/")[2] or "个"
        count = self._draw(f"count_{base}", range(2, 13))
        return many(english, chinese, count)

    def _word(self, slot: str) -> Pair:
        kind = slot.rstrip("2")
        if kind in {"act", "past", "does", "doing"}:
            return self._action(kind, "act" + slot[len(kind) :])
        if kind == "number":
            value = str(self._draw(slot, range(2, 31)))
            return value, value
        if kind == "price":
            value = str(self._draw(slot, range(3, 400)))
            return value, value
        if kind == "hour":
            hour, half = self._draw(slot, [(hour, half) for hour in range(6, 22) for half in (0, 30)])
            return f"{hour}:{half:02d}", f"{hour}点{'半' if half else ''}"
        return self._draw(slot, table("lexicon", _TABLES[kind]))

    def _action(self, form: str, slot: str) -> Pair:
        english, chinese = self._draw(slot, table("lexicon", "actions"))
        return english.split(", ")[("act", "past", "does", "doing").index(form)], chinese

    def _draw(self, slot: str, choices: Iterable[Any]) -> Any:
        if slot not in self.drawn:
            taken = self.drawn.get(slot.rstrip("2"))
            self.drawn[slot] = self.dice.pick([choice for choice in choices if choice != taken])
        return self.drawn[slot]
