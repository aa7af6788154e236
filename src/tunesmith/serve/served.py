"""What is behind the HTTP API: models with their names and engines, found by name or alias."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tunesmith.models.contract import PromptContract
from tunesmith.serve.classifier_engine import ClassifierEngine
from tunesmith.serve.engine import Engine
from tunesmith.serve.meter import Meter
from tunesmith.serve.names import Reason

if TYPE_CHECKING:
    from tunesmith.models.reader import Answer
    from tunesmith.models.tagger import Entity

ServedTask = Literal["generate", "classify", "embed", "score", "tag", "answer", "translate", "summarise"]
Numbers = NDArray[np.floating]

# Where the models of a task answer.
ROUTES: Mapping[ServedTask, str] = {
    "generate": "/v1/chat/completions",
    "classify": "/v1/classify",
    "embed": "/v1/embeddings",
    "score": "/v1/score",
    "tag": "/v1/tag",
    "answer": "/v1/answer",
    "translate": "/v1/translate",
    "summarise": "/v1/summarise",
}


class Closing(Protocol):
    """What computes, until it is closed."""

    def close(self) -> None:
        """Stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What every served model has; `tokenizer` is None where it cuts text in a way of its own.

    `held` is let go of when it is closed, such as the mark that its folder is in use.
    """

    name: str
    aliases: tuple[str, ...] = ()
    created: int
    tokenizer: Tokenizer | None = None
    meter: Meter = field(default_factory=Meter)
    engine: Closing
    held: ExitStack = field(default_factory=ExitStack, compare=False, repr=False)

    def close(self) -> None:
        """Stop its engine, and let go of what it held."""
        self.engine.close()
        self.held.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDeployment(Served):
    """A served language model. `context` is in tokens; `vocabulary` counts ids.

    `computed` names its engine and the numbers of its weights; `instead` is why another engine was not taken.
    `base` is the model whose weights it shares with others.
    """

    tokenizer: Tokenizer
    contract: PromptContract
    context: int
    vocabulary: int
    engine: Engine
    computed: str = "torch"
    instead: Reason | None = None
    base: str | None = None
    task: ClassVar[ServedTask] = "generate"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifyDeployment(Served):
    """A served classifier."""

    labels: tuple[str, ...]
    several: bool = False
    engine: ClassifierEngine[str, Numbers]
    task: ClassVar[ServedTask] = "classify"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedDeployment(Served):
    """A served model of embeddings of `width` numbers; its engine reads up to `context` token ids."""

    tokenizer: Tokenizer
    width: int
    context: int
    engine: ClassifierEngine[Sequence[int], Numbers]
    task: ClassVar[ServedTask] = "embed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreDeployment(Served):
    """A served scorer."""

    engine: ClassifierEngine[str, Numbers]
    task: ClassVar[ServedTask] = "score"


@dataclass(frozen=True, slots=True, kw_only=True)
class TagDeployment(Served):
    """A served tagger."""

    labels: tuple[str, ...]
    engine: ClassifierEngine[str, Sequence[Sequence[Entity]]]
    task: ClassVar[ServedTask] = "tag"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a text."""

    question: str
    context: str

    def __len__(self) -> int:
        return len(self.question) + len(self.context)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerDeployment(Served):
    """A served reader, which answers questions from texts."""

    engine: ClassifierEngine[Question, Sequence[Answer]]
    task: ClassVar[ServedTask] = "answer"


@dataclass(frozen=True, slots=True)
class Rewriting:
    """A text to be written anew, by so many beams."""

    text: str
    beams: int
    length_penalty: float

    def __len__(self) -> int:
        return len(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class RewriteDeployment(Served):
    """A served encoder-decoder: a translator, or one that summarises."""

    task: ServedTask
    engine: ClassifierEngine[Rewriting, Sequence[str]]


Deployment = (
    TextDeployment
    | ClassifyDeployment
    | EmbedDeployment
    | ScoreDeployment
    | TagDeployment
    | AnswerDeployment
    | RewriteDeployment
)
Kind = TypeVar(
    "Kind",
    TextDeployment,
    ClassifyDeployment,
    EmbedDeployment,
    ScoreDeployment,
    TagDeployment,
    AnswerDeployment,
    RewriteDeployment,
)
