"""A judge: a model that is asked about answers, again where it cannot be read, and never twice the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from tunesmith.core import durable
from tunesmith.core.errors import ModelError
from tunesmith.eval.judges import verdicts
from tunesmith.eval.judges.rubric import Rubric
from tunesmith.eval.judges.verdicts import Choice, Pairwise

if TYPE_CHECKING:
    from tunesmith.models.turns import Message

TRIES = 3
_TOKENS = 512
Verdict = TypeVar("Verdict")


class Speaker(Protocol):
    """A model that answers conversations."""

    @property
    def digest(self) -> str:
        """Which model it is."""

    def chat(self, messages: Sequence[Message], **settings: Any) -> str:
        """The answer to a conversation."""


@dataclass(slots=True)
class Cost:
    """Questions that were put, and those whose answers were kept from before."""

    requests: int = 0
    kept: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A model that judges by a rubric; what it says is kept in `place`, if any, and not asked again."""

    model: Speaker
    rubric: Rubric
    place: Path | None
    cost: Cost = field(default_factory=Cost)

    @property
    def digest(self) -> str:
        """Which judge it is: model and rubric."""
        return hashlib.sha256(f"{self.model.digest} {self.rubric.digest}".encode()).hexdigest()

    def compare(self, prompt: str, a: str, b: str) -> Pairwise:
        """Which of two answers is better, in both orders; of equal ones nothing is asked."""
        if a == b:
            return Pairwise(ab="tie", ba="tie")
        ab = self._choice(prompt, a, b)
        return Pairwise(ab=ab, ba=verdicts.swapped(self._choice(prompt, b, a)))

    def score(self, prompt: str, answer: str) -> int | None:
        """How good an answer is, from 1 to the rubric's `scale`; None where the judge could not be read."""
        question = self.rubric.score(prompt, answer)
        return self._read("score", prompt, question, lambda said: verdicts.score(said, self.rubric.scale))

    def _choice(self, prompt: str, first: str, second: str) -> Choice | None:
        return self._read("pair", prompt, self.rubric.pair(prompt, first, second), verdicts.choice)

    def _read(
        self,
        kind: Literal["pair", "score"],
        prompt: str,
        question: str,
        read: Callable[[str], Verdict | None],
    ) -> Verdict | None:
        """What is read of the first of the judge's answers that can be; nothing where a text is too long."""
        talk: list[Message] = [{"role": "user", "content": question}]
        for _ in range(TRIES):
            said = self._said(talk)
            if said is None:
                return None
            found = read(said)
            if found is not None:
                return found
            again = self.rubric.again(kind, prompt)
            talk += [{"role": "assistant", "content": said}, {"role": "user", "content": again}]
        return None

    def _said(self, talk: Sequence[Message]) -> str | None:
        try:
            said, was_kept = kept(self.place, [self.model.digest, talk], lambda: self._ask(talk))
        except ModelError as error:
            if is_too_long(error):
                return None
            raise
        self.cost.kept += was_kept
        self.cost.requests += not was_kept
        return said

    def _ask(self, talk: Sequence[Message]) -> str:
        return self.model.chat(talk, temperature=0.0, max_new_tokens=_TOKENS)


def is_too_long(error: ModelError) -> bool:
    """Whether a model had no room for what it was asked."""
    return error.problems[0].code == "M12"


def kept(place: Path | None, key: Any, make: Callable[[], str]) -> tuple[str, bool]:
    """A text that is made once and kept in a folder under its key, if any, and whether it was there."""
    if place is None:
        return make(), False
    said = json.dumps(key, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(said).hexdigest()
    file = place / digest[:2] / f"{digest}.json"
    if file.is_file():
        text: str = json.loads(file.read_text(encoding="utf-8"))["said"]
        return text, True
    text = make()
    durable.write_json(file, {"said": text})
    return text, False
