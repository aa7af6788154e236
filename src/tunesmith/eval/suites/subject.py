"""Who is asked: a model in memory, or one that somebody else computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tunesmith.core.errors import ModelError

if TYPE_CHECKING:
    from tunesmith.models.following import Followed, Pair
    from tunesmith.models.hosted import HostedModel
    from tunesmith.models.language import LanguageModel
    from tunesmith.models.writing import Continuation


class Subject(Protocol):
    """Answers prompts."""

    @property
    def foresees(self) -> bool:
        """Whether `follow` answers."""

    def follow(self, pairs: Sequence[tuple[str, str]]) -> list[Followed]:
        """How likely each text follows its prompt."""

    def write(
        self, prompts: Sequence[str], *, stop: Sequence[str], max_new_tokens: int
    ) -> list[Continuation]:
        """The likeliest continuation of each prompt, ended at a string of `stop`."""


@dataclass(frozen=True, slots=True)
class Local:
    """A model in memory. With `chat` a prompt is a user's turn under its template, else a text to go on."""

    model: LanguageModel
    chat: bool = False
    foresees: bool = True

    def follow(self, pairs: Sequence[tuple[str, str]]) -> list[Followed]:
        """See `Subject.follow`."""
        from tunesmith.models.following import followed

        return followed(self.model, [self._pair(prompt, text) for prompt, text in pairs])

    def write(
        self, prompts: Sequence[str], *, stop: Sequence[str], max_new_tokens: int
    ) -> list[Continuation]:
        """See `Subject.write`."""
        from tunesmith.models.writing import written

        ids = [self._ids(prompt) for prompt in prompts]
        stops = (*stop, *self.model.contract.text_stops(self.model.tokenizer)) if self.chat else stop
        settings: dict[str, Any] = {"max_new_tokens": max_new_tokens, "temperature": 0.0}
        return written(self.model, ids, stop=stops, **settings)

    def _pair(self, prompt: str, text: str) -> Pair:
        from tunesmith.models.following import pair

        if self.chat:
            ids = list(self.model.tokenizer.encode(text.lstrip(), add_special_tokens=False).ids)
            return self._ids(prompt), ids
        return pair(self.model.tokenizer, prompt, text)

    def _ids(self, prompt: str) -> list[int]:
        from tunesmith.models.language import prompt_ids

        if not self.chat:
            return prompt_ids(self.model.tokenizer, prompt)
        turns = [{"role": "user", "content": prompt}]
        return self.model.contract.encode(self.model.tokenizer, turns)


@dataclass(frozen=True, slots=True)
class Hosted:
    """A model behind an API, which does not say how likely texts are; `models.hosted` keeps its answers."""

    model: HostedModel
    foresees: bool = False

    def follow(self, pairs: Sequence[tuple[str, str]]) -> list[Followed]:
        """Refused.

        Raises:
            ModelError: C45.
        """
        raise ModelError("C45", name=self.model.name)

    def write(
        self, prompts: Sequence[str], *, stop: Sequence[str], max_new_tokens: int
    ) -> list[Continuation]:
        """See `Subject.write`; a host takes four stop strings at most, so answers are ended here."""
        from tunesmith.models.writing import Continuation

        answers = (self.model.chat(prompt, max_new_tokens=max_new_tokens) for prompt in prompts)
        return [Continuation(ended(answer, stop)) for answer in answers]


def ended(text: str, stop: Sequence[str]) -> str:
    """The text before the first of the strings that end it."""
    return text[: min((at for each in stop if (at := text.find(each)) >= 0), default=len(text))]


def subject_of(model: object, name: str, *, chat: bool) -> Subject:
    """A model that was loaded as one that can be asked.

    Raises:
        ModelError: C45 when it does not write texts.
    """
    from tunesmith.models.hosted import HostedModel
    from tunesmith.models.language import LanguageModel

    if isinstance(model, HostedModel):
        return Hosted(model)
    if isinstance(model, LanguageModel):
        return Local(model, chat)
    raise ModelError("C45", name=name)
