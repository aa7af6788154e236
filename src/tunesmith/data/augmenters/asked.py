"""Augmenters that ask a model: there and back through a language, other words, words foreseen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from annotated_types import Ge, Gt, Le

from tunesmith.data.augmenters.tables import Rate, needed
from tunesmith.data.augmenting.augmenter import Find, Made, Rewriter
from tunesmith.data.augmenting.passage import Edit, Passage, chosen

_ASKED = (
    "Say the user's text in other words, in its own language with the same meaning. Keep numbers and names. "
    "Answer with the new text alone (用原文的语言换一种说法，意思不变，数字和名称保持原样，只回答新的文本)."
)
_WORD = re.compile(r"[^\W\d_]+")


class BackTranslate(Rewriter):
    """Texts translated by the model `there` and back by the model `back`."""

    def __init__(self, find: Find, *, there: str | None = None, back: str | None = None) -> None:
        self._there = find(needed(there, "back_translate", "there"))
        self._back = find(needed(back, "back_translate", "back"))

    def rewrite(self, passages: Sequence[Passage]) -> Sequence[Made]:
        """The texts as they come back."""
        texts = [passage.text for passage in passages]
        found: list[str] = self._back.translate(self._there.translate(texts)) if texts else []
        return found


class Paraphrase(Rewriter):
    """Texts in other words, asked of a chat model, local or `hosted:NAME`.

    With a `temperature` each copy may be another; at 0 a hosted model's answers are kept, and cost nothing
    the second time.
    """

    def __init__(
        self,
        find: Find,
        *,
        model: str | None = None,
        temperature: Annotated[float, Ge(0), Le(2)] = 0.0,
        instruction: str | None = None,
    ) -> None:
        self._model = find(needed(model, "paraphrase", "model"))
        self._temperature = temperature
        self._instruction = instruction or _ASKED

    def rewrite(self, passages: Sequence[Passage]) -> Sequence[Made]:
        """What the model answers to each text."""
        return [self._said(passage) for passage in passages]

    def _said(self, passage: Passage) -> str:
        turns = [{"role": "system", "content": self._instruction}, {"role": "user", "content": passage.text}]
        # A sampled answer has the dice's own seed, so that the same row gets the same words again.
        seed = {"seed": passage.dice.getrandbits(31)} if self._temperature else {}
        said: str = self._model.chat(turns, temperature=self._temperature, **seed)
        return said


class FillMasks(Rewriter):
    """A share of the words becomes what a masked language model expects in their place (Kobayashi 2018)."""

    def __init__(
        self,
        find: Find,
        *,
        model: str | None = None,
        rate: Rate = 0.1,
        top: Annotated[int, Gt(0), Le(20)] = 5,
    ) -> None:
        self._model = find(needed(model, "fill_masks", "model"))
        self._rate, self._top = rate, top

    def rewrite(self, passages: Sequence[Passage]) -> Sequence[Made]:
        """Edits of single words; each is foreseen with the others of its text in place."""
        asked = [(at, place) for at, passage in enumerate(passages) for place in self._places(passage)]
        shown = [_masked(passages[at].text, place) for at, place in asked]
        edits: list[list[Edit]] = [[] for _ in passages]
        for (at, place), found in zip(
            asked, self._model.fill(shown, top=self._top) if shown else [], strict=True
        ):
            word = passages[at].text[slice(*place)]
            guesses = [guess.text.strip() for guess in found[0]] if found else []
            other = [guess for guess in guesses if _WORD.fullmatch(guess) and guess.lower() != word.lower()]
            if other:
                edits[at].append(Edit(*place, passages[at].dice.choice(other)))
        return edits

    def _places(self, passage: Passage) -> list[tuple[int, int]]:
        words = [place for place in passage.words if _WORD.fullmatch(passage.text[slice(*place)])]
        return [words[i] for i in chosen(passage.dice, range(len(words)), self._rate)]


def _masked(text: str, place: tuple[int, int]) -> str:
    return f"{text[: place[0]]}[MASK]{text[place[1] :]}"
