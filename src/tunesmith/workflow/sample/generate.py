"""Clean rows: a message, its topic and a reply. Knows nothing of the problems planted later."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from tunesmith.workflow.sample.dice import Dice
from tunesmith.workflow.sample.templates import Family, answer, choose, common, families, fill

COLUMNS = ("id", "message", "topic", "language", "family", "customer", "reply")
_TRIES = 100
_CUSTOMERS = 350  # of each language
_STOPS = ".。,，"
_ENDINGS = {"en": ("!!", "...", "!!!"), "zh": ("！！", "……", "~", "！！！")}


def rows(count: int = 2000, seed: int = 0) -> list[dict[str, str]]:
    """`count` rows with the keys of `COLUMNS`, families in turn; a shorter table starts a longer one.

    No two messages are the same when case, width and punctuation are ignored, for counts up to 20,000; in
    larger tables a family may have said all it can say.
    """
    seen: set[str] = set()
    turns = _turns(seed)
    return [_row(index, next(turns), seed, seen) for index in range(count)]


def _turns(seed: int) -> Iterator[Family]:
    turn = 0
    while True:
        yield from Dice(seed, "turn", turn).shuffled(families())
        turn += 1


def _row(index: int, family: Family, seed: int, seen: set[str]) -> dict[str, str]:
    for attempt in range(_TRIES):
        dice = Dice(seed, "row", index, attempt)
        known: dict[str, str] = {}
        message = _typed(dice, _message(dice, family, known), family.language)
        if _core(message) not in seen:
            break
    seen.add(_core(message))
    customer = 2 * dice.number(_CUSTOMERS) + (family.language == "zh")
    return {
        "id": f"m{index:05d}",
        "message": message,
        "topic": family.topic,
        "language": family.language,
        "family": family.id,
        "customer": f"C{customer:04d}",
        "reply": answer(family.reply, known),
    }


def _core(message: str) -> str:
    folded = unicodedata.normalize("NFKC", message).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


def _message(dice: Dice, family: Family, known: dict[str, str]) -> str:
    """Greeting, the point itself, and what people add, each of these only now and then."""
    shared = common(family.language)
    phrases = [dice.pick(shared["greeting"])] if dice.chance(0.3) else []
    phrases += [dice.pick(family.before)] if dice.chance(0.33) else []
    phrases.append(dice.pick(family.say))
    phrases += [dice.pick(family.after)] if dice.chance(0.4) else []
    phrases += [dice.pick(shared[name]) for name in family.around if dice.chance(0.22)]
    parts = [fill(dice, choose(dice, phrase), shared["slots"], known) for phrase in phrases]
    return join(parts, family.language)


def join(parts: list[str], language: str) -> str:
    """Sentences put together; Chinese ones that end without a mark get a comma between them."""
    if language == "en":
        return " ".join(parts)
    *inner, last = parts
    return "".join(part + "，" * part[-1].isalnum() for part in inner) + last


def _typed(dice: Dice, text: str, language: str) -> str:
    """`text` as people type: short forms, other-language words, slips, missing or extra marks."""
    for swap in common(language)["swaps"]:
        if dice.chance(swap["rate"]):
            text = _swapped(text, swap["words"])
    text = _typed_en(dice, text) if language == "en" else _typed_zh(dice, text)
    if dice.chance(0.2):
        text = text.rstrip(_STOPS)
    if text[-1] in _STOPS and dice.chance(0.06):
        text = text.rstrip(_STOPS) + dice.pick(_ENDINGS[language])
    return text


def _swapped(text: str, words: dict[str, str]) -> str:
    for old, new in words.items():
        text = re.sub(rf"\b{old}\b", new, text) if old.isascii() else text.replace(old, new)
    return text


def _typed_en(dice: Dice, text: str) -> str:
    if dice.chance(0.12):
        text = _slip(dice, text)
    if dice.chance(0.2):
        text = text.replace("'", "’")
    if dice.chance(0.15):
        return text.lower()
    return text.upper() if dice.chance(0.02) else text


def _slip(dice: Dice, text: str) -> str:
    """Two neighbouring letters inside one longer word change places."""
    words = list(re.finditer(r"\b[a-z]{5,}\b", text))
    if not words:
        return text
    word = dice.pick(words)
    at = word.start() + 1 + dice.number(len(word[0]) - 2)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _typed_zh(dice: Dice, text: str) -> str:
    if dice.chance(0.1):
        text = re.sub("[，。]", " ", text).rstrip()
    if dice.chance(0.08):
        text = text.replace("，", ",").replace("？", "?").replace("！", "!")
    return text
