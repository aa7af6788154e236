"""An augmenter that asks a masked language model which other words could stand in a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from annotated_types import Gt, Le

from tunesmith.core.errors import RecipeError
from tunesmith.data.augmenters.tables import Rate, needed
from tunesmith.data.augmenting.augmenter import Find, Made, Rewriter
from tunesmith.data.augmenting.passage import Edit, Passage, chosen

_WORD = re.compile(r"[^\W\d_]+")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]+")
# A text may have such words of its own.
_MASK = re.compile(r"\[MASK\]|<mask>")


class FillMasks(Rewriter):
    """A share of the words becomes what a masked language model expects in their place (Kobayashi 2018).

    What is no whole word is not taken, nor one of another script.
    """

    def __init__(
        self,
        find: Find,
        *,
        model: str | None = None,
        rate: Rate = 0.1,
        top: Annotated[int, Gt(0), Le(20)] = 5,
    ) -> None:
        self._model = find(needed(model, "fill_masks", "model"))
        if not hasattr(self._model, "fill"):
            raise RecipeError(
                "A13", field="data.augment.fill_masks", name="fill_masks", model=model,
                kind=self._model.kind, wanted="mask",
            )  # fmt: skip
        self._rate, self._top = rate, top

    def rewrite(self, passages: Sequence[Passage]) -> Sequence[Made]:
        """Edits of single words; each is foreseen with the others of its text in place."""
        asked = [(at, place) for at, passage in enumerate(passages) for place in self._places(passage)]
        shown = [_masked(passages[at].text, place) for at, place in asked]
        edits: list[list[Edit]] = [[] for _ in passages]
        for (at, place), found in zip(
            asked, self._model.fill(shown, top=self._top) if shown else [], strict=True
        ):
            text = passages[at].text
            word, nth = text[slice(*place)], len(_MASK.findall(text[: place[0]]))
            # A long text was cut, and its last masks with it.
            own = found[nth] if nth < len(found) else []
            guesses = [guess for guess in own if _fits(guess, word)]
            if guesses:
                edits[at].append(Edit(*place, _like(passages[at].dice.choice(guesses).text, word)))
        return edits

    def _places(self, passage: Passage) -> list[tuple[int, int]]:
        words = [place for place in passage.words if _WORD.fullmatch(passage.text[slice(*place)])]
        return [words[i] for i in chosen(passage.dice, range(len(words)), self._rate)]


def _fits(guess: Any, word: str) -> bool:
    """Whether a guess is another word of the same script."""
    said = guess.text
    if said.lower() == word.lower():
        return False
    if _LATIN.fullmatch(word):
        return guess.whole and bool(_LATIN.fullmatch(said))
    return bool(_WORD.fullmatch(said)) and not _LATIN.search(said)


def _like(said: str, word: str) -> str:
    """With a capital where the word has one: many models know small letters only."""
    return said[0].upper() + said[1:] if word[0].isupper() else said


def _masked(text: str, place: tuple[int, int]) -> str:
    return f"{text[: place[0]]}[MASK]{text[place[1] :]}"
