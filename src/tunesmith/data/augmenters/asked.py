"""Augmenters that ask a model for a text anew: there and back through a language, or in other words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from annotated_types import Ge, Le

from tunesmith.core.errors import RecipeError
from tunesmith.data.augmenters.tables import needed
from tunesmith.data.augmenting.augmenter import Find, Made, Rewriter
from tunesmith.data.augmenting.passage import Passage
from tunesmith.language.identify import identify

_ASKED = (
    "Say the user's text in other words, in its own language with the same meaning. Keep numbers and names. "
    "Answer with the new text alone (用原文的语言换一种说法，意思不变，数字和名称保持原样，只回答新的文本)."
)
_TRANSLATE = (
    "Translate the user's text into {language}. Keep numbers and names. Answer with the translation alone."
)
_LANGUAGES = {"zh": "Chinese", "en": "English"}


class BackTranslate(Rewriter):
    """Texts translated by the model `there` and back by the model `back` (Sennrich et al. 2016).

    Each is a model of the task `translate`, or one that chats, which is told to translate into `language`,
    and back into the language that a text is in.
    """

    def __init__(
        self, find: Find, *, there: str | None = None, back: str | None = None, language: str = "English"
    ) -> None:
        self._there = _found(find, needed(there, "back_translate", "there"), "back_translate")
        self._back = _found(find, needed(back, "back_translate", "back"), "back_translate")
        self._language = language

    def rewrite(self, passages: Sequence[Passage]) -> Sequence[Made]:
        """The texts as they come back."""
        texts = [passage.text for passage in passages]
        own = [_LANGUAGES.get(one, f"the language with the ISO 639-1 code {one}") for one in identify(texts)]
        found = _translated(self._there, texts, [self._language] * len(texts))
        return _translated(self._back, found, own)


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
        self._model = _found(find, needed(model, "paraphrase", "model"), "paraphrase")
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


def _found(find: Find, name: str, augmenter: str) -> Any:
    """The model of that name.

    Raises:
        RecipeError: A13 when it does not do what the augmenter needs.
    """
    model = find(name)
    abilities = {"back_translate": ("translate", "chat"), "paraphrase": ("chat",)}[augmenter]
    if not any(hasattr(model, ability) for ability in abilities):
        raise RecipeError(
            "A13", field=f"data.augment.{augmenter}", name=augmenter, model=name, kind=model.kind,
            wanted=" / ".join(abilities),
        )  # fmt: skip
    return model


def _translated(model: Any, texts: Sequence[str], languages: Sequence[str]) -> list[str]:
    if hasattr(model, "translate"):
        found: list[str] = model.translate(list(texts)) if texts else []
        return found
    return [_asked(model, text, language) for text, language in zip(texts, languages, strict=True)]


def _asked(model: Any, text: str, language: str) -> str:
    turns = [
        {"role": "system", "content": _TRANSLATE.format(language=language)},
        {"role": "user", "content": text},
    ]
    said: str = model.chat(turns)
    return said
