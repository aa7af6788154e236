"""What models answer to the questions of a file, to be judged: kept, so that nothing is asked twice."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.core.errors import DataError, ModelError
from tunesmith.core.recipe import Data
from tunesmith.core.workspace import Workspace
from tunesmith.data import reading
from tunesmith.data.loading import stop_for
from tunesmith.data.rows import load
from tunesmith.eval.judges.judge import Speaker, is_too_long, kept
from tunesmith.models.hosted import HostedModel
from tunesmith.models.language import LanguageModel
from tunesmith.models.turns import Message
from tunesmith.workflow.evaluate import found
from tunesmith.workflow.measuring import questions as questions_of

_TOKENS = 512
_PROMPT = "prompt"


@dataclass(frozen=True, slots=True)
class Question:
    """A conversation to be answered, and its text for whoever judges the answer."""

    messages: tuple[Message, ...]

    @property
    def text(self) -> str:
        """What was asked; of several turns each with who said it."""
        if len(self.messages) == 1:
            return str(self.messages[0]["content"])
        return "\n\n".join(f"{turn['role']}: {turn['content']}" for turn in self.messages)


def questions(data: Path, *, limit: int | None = None) -> list[Question]:
    """The questions of a file of conversations, or of a column `prompt` alone; so many, drawn the same way.

    Raises:
        NotFoundError: D01 when the file does not exist.
        DataError: when it cannot be used; C50 when it asks nothing.
    """
    found = [Question(tuple(messages)) for messages in _messages(data) if messages]
    if not found:
        raise DataError("C50", file=data)
    if limit is None or limit >= len(found):
        return found
    places = sorted(random.Random(0).sample(range(len(found)), limit))  # noqa: S311  no secret
    return [found[place] for place in places]


def _messages(data: Path) -> Sequence[Sequence[Message]]:
    table = reading.read(data)
    if table.frame.columns == [_PROMPT]:
        return [[{"role": "user", "content": str(text)}] for text in table.values(_PROMPT) if text]
    rows = load(Data.model_validate({"source": str(data)}), shape="messages", base=Path.cwd())
    stop_for(rows.problems)
    return [messages for messages, _, _ in questions_of(rows.frame)]


def speaker(name: str, workspace: Workspace) -> Speaker:
    """A model that answers conversations.

    Raises:
        NotFoundError: M01 when there is none of this name.
        ModelError: C45 when it does not answer.
    """
    model = found(name, workspace)
    if not isinstance(model, HostedModel | LanguageModel):
        raise ModelError("C45", name=name)
    return model


def answer(model: Speaker, question: Question, workspace: Workspace) -> str:
    """The likeliest answer of a model, kept if it was asked before; none to what it cannot read whole."""
    settings: Mapping[str, Any] = {"temperature": 0.0, "max_new_tokens": _TOKENS}
    key = [model.digest, question.messages, settings]
    place = workspace.cache / "answered" if is_the_same(model) else None
    try:
        return kept(place, key, lambda: model.chat(question.messages, **settings))[0]
    except ModelError as error:
        if is_too_long(error):
            return ""
        raise


def is_the_same(model: Speaker) -> bool:
    """Whether a model is tomorrow what it is today: what stands at an address may change."""
    return bool(model.digest) and getattr(model, "is_kept", True)
