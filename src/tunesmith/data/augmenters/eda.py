"""Easy data augmentation: small changes of words (Wei and Zou 2019)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from tunesmith.data.augmenters.tables import Rate, groups, lines_of
from tunesmith.data.augmenting.passage import Edit, Passage, Stretch, chosen

Operation = Literal["synonym", "insert", "swap", "delete"]
Synonyms = Mapping[str, tuple[str, ...]]


def eda(
    passage: Passage,
    *,
    rate: Rate = 0.1,
    operations: tuple[Operation, ...] = ("synonym", "insert", "swap", "delete"),
    file: str | None = None,
) -> list[Edit]:
    """A share of the words replaced by synonyms, joined by them, swapped or left out: one of these a row.

    `file` has words that mean the same, divided by commas, a group a line; without it there are no synonyms.
    """
    synonyms = groups(lines_of(file))
    usable = [name for name in operations if synonyms or name in ("swap", "delete")]
    if not usable:
        return []
    return _OPERATIONS[passage.dice.choice(usable)](passage, rate, synonyms)


def _synonym(passage: Passage, rate: float, synonyms: Synonyms) -> list[Edit]:
    known = [place for place in passage.words if synonyms.get(_word(passage, place))]
    return [
        Edit(*known[i], passage.dice.choice(synonyms[_word(passage, known[i])]))
        for i in chosen(passage.dice, range(len(known)), rate)
    ]


def _insert(passage: Passage, rate: float, synonyms: Synonyms) -> list[Edit]:
    """A synonym of a word of the text behind another word."""
    known = [place for place in passage.words if synonyms.get(_word(passage, place))]
    if not known:
        return []
    edits = []
    for i in chosen(passage.dice, range(len(passage.words)), rate):
        end = passage.words[i][1]
        word = passage.dice.choice(synonyms[_word(passage, passage.dice.choice(known))])
        edits.append(Edit(end, end, f" {word}" if word.isascii() else word))
    return edits


def _swap(passage: Passage, rate: float, synonyms: Synonyms) -> list[Edit]:
    """Pairs of words that change places."""
    words = passage.words
    count = min(len(words) // 2, max(1, round(rate * len(words))))
    drawn = passage.dice.sample(words, 2 * count)
    pairs = zip(drawn[::2], drawn[1::2], strict=True)
    return [edit for one, other in pairs for edit in _exchanged(passage.text, one, other)]


def _exchanged(text: str, one: Stretch, other: Stretch) -> tuple[Edit, Edit]:
    return Edit(*one, text[slice(*other)]), Edit(*other, text[slice(*one)])


def _delete(passage: Passage, rate: float, synonyms: Synonyms) -> list[Edit]:
    """Words with the space beside them; one word is always left."""
    places = chosen(passage.dice, range(len(passage.words)), rate) if len(passage.words) > 1 else []
    return [_without(passage, *passage.words[i]) for i in places]


def _without(passage: Passage, start: int, end: int) -> Edit:
    if passage.text[start - 1 : start] == " " and passage.is_free(start - 1, end):
        return Edit(start - 1, end, "")
    follows = passage.text[end : end + 1] == " " and passage.is_free(start, end + 1)
    return Edit(start, end + follows, "")


def _word(passage: Passage, place: Stretch) -> str:
    return passage.text[slice(*place)].lower()


_OPERATIONS: Mapping[Operation, Callable[[Passage, float, Synonyms], list[Edit]]] = {
    "synonym": _synonym,
    "insert": _insert,
    "swap": _swap,
    "delete": _delete,
}
