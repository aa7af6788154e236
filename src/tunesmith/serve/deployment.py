"""A model behind the HTTP API: its names and the engine that computes for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from tokenizers import Tokenizer
from torch import nn

from tunesmith.core.errors import ModelError, NotFoundError, UsageError
from tunesmith.models.classifier import TextClassifier
from tunesmith.models.contract import PromptContract
from tunesmith.models.decoder import vocabulary_size
from tunesmith.models.embedder import TextEmbedder
from tunesmith.models.filler import TextFiller
from tunesmith.models.hosted import HostedModel
from tunesmith.models.reader import TextReader
from tunesmith.models.scorer import TextScorer
from tunesmith.models.tagger import TextTagger
from tunesmith.models.translator import Translator
from tunesmith.serve.admission import Limits
from tunesmith.serve.classifier_engine import Classifier, ClassifierEngine
from tunesmith.serve.engine import Engine
from tunesmith.serve.torch_engine import TorchEngine

ServedTask = Literal["generate", "classify", "embed", "score"]

# Where the models of a task answer.
_ROUTES: Mapping[ServedTask, str] = {
    "generate": "/v1/chat/completions",
    "classify": "/v1/classify",
    "embed": "/v1/embeddings",
    "score": "/v1/score",
}


@runtime_checkable
class Generator(Protocol):
    """A causal language model with what is put around a user's text."""

    @property
    def name(self) -> str:
        """What the model is called."""

    @property
    def module(self) -> nn.Module:
        """The weights."""

    @property
    def tokenizer(self) -> Tokenizer:
        """Text to ids and back."""

    @property
    def contract(self) -> PromptContract:
        """Template, stop ids and defaults."""

    @property
    def context(self) -> int:
        """The longest sequence, in tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDeployment:
    """A served language model. `context` is in tokens; `vocabulary` counts ids."""

    name: str
    aliases: tuple[str, ...] = ()
    created: int
    tokenizer: Tokenizer
    contract: PromptContract
    context: int
    vocabulary: int
    engine: Engine

    @property
    def task(self) -> ServedTask:
        """What it does."""
        return "generate"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifyDeployment:
    """A served classifier."""

    name: str
    aliases: tuple[str, ...] = ()
    created: int
    labels: tuple[str, ...]
    several: bool = False
    engine: ClassifierEngine

    @property
    def task(self) -> ServedTask:
        """What it does."""
        return "classify"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedDeployment:
    """A served model of embeddings; `tokens` counts those of texts."""

    name: str
    aliases: tuple[str, ...] = ()
    created: int
    tokens: Callable[[Sequence[str]], int]
    engine: ClassifierEngine

    @property
    def task(self) -> ServedTask:
        """What it does."""
        return "embed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreDeployment:
    """A served scorer."""

    name: str
    aliases: tuple[str, ...] = ()
    created: int
    engine: ClassifierEngine

    @property
    def task(self) -> ServedTask:
        """What it does."""
        return "score"


Deployment = TextDeployment | ClassifyDeployment | EmbedDeployment | ScoreDeployment


def deploy(
    model: Generator
    | Classifier
    | TextEmbedder
    | TextFiller
    | TextReader
    | TextTagger
    | TextScorer
    | HostedModel
    | Translator,
    *,
    name: str | None = None,
    aliases: Sequence[str] = (),
    limits: Limits | None = None,
) -> Deployment:
    """Start an engine for a model. It answers to `name` (the model's own if None) and to `aliases`.

    Raises:
        ModelError: M14 for a hosted model: this server asks no other; M48 for an encoder-decoder.
    """
    if isinstance(model, Translator):
        raise ModelError("M48", name=model.name)
    if isinstance(model, TextTagger | TextReader | TextFiller):
        raise ModelError("M14", name=model.name, wanted="serve", task="ask, eval")
    if isinstance(model, HostedModel):
        raise ModelError("M14", name=model.name, wanted="serve", task="ask, eval, eval.against")
    limits = limits or Limits()
    name, created = name or model.name, int(time.time())
    if isinstance(model, Generator):
        return TextDeployment(
            name=name,
            aliases=tuple(aliases),
            created=created,
            tokenizer=model.tokenizer,
            contract=model.contract,
            context=model.context,
            vocabulary=vocabulary_size(model.module),
            engine=TorchEngine(model.module, limits),
        )
    if isinstance(model, TextEmbedder):
        return EmbedDeployment(
            name=name,
            aliases=tuple(aliases),
            created=created,
            tokens=model.tokens,
            engine=ClassifierEngine(model.embed, limits),
        )
    if isinstance(model, TextScorer):
        engine = ClassifierEngine(model.score, limits)
        return ScoreDeployment(name=name, aliases=tuple(aliases), created=created, engine=engine)
    return ClassifyDeployment(
        name=name,
        aliases=tuple(aliases),
        created=created,
        labels=tuple(model.labels),
        several=isinstance(model, TextClassifier) and model.several,
        engine=ClassifierEngine(model.predict, limits),
    )


class Deployments:
    """All models of a server, found by name or alias.

    Raises:
        UsageError: S24 when a name is given twice.
    """

    def __init__(self, deployments: Iterable[Deployment]) -> None:
        self._all = tuple(deployments)
        self._by_name: dict[str, Deployment] = {}
        for deployment in self._all:
            for name in {deployment.name, *deployment.aliases}:
                if name in self._by_name:
                    raise UsageError("S24", name=name)
                self._by_name[name] = deployment

    def __iter__(self) -> Iterator[Deployment]:
        return iter(self._all)

    def text(self, name: str) -> TextDeployment:
        """The language model called `name`.

        Raises:
            NotFoundError: S01 when no model is called so.
            UsageError: S08 when it does not write text.
        """
        found = self._find(name)
        if not isinstance(found, TextDeployment):
            raise UsageError("S08", field="model", name=name, other=_ROUTES[found.task])
        return found

    def classify(self, name: str) -> ClassifyDeployment:
        """The classifier called `name`.

        Raises:
            NotFoundError: S01 when no model is called so.
            UsageError: S08 when it does not classify.
        """
        found = self._find(name)
        if not isinstance(found, ClassifyDeployment):
            raise UsageError("S08", field="model", name=name, other=_ROUTES[found.task])
        return found

    def embed(self, name: str) -> EmbedDeployment:
        """The model of embeddings called `name`.

        Raises:
            NotFoundError: S01 when no model is called so.
            UsageError: S08 when it gives no vectors.
        """
        found = self._find(name)
        if not isinstance(found, EmbedDeployment):
            raise UsageError("S08", field="model", name=name, other=_ROUTES[found.task])
        return found

    def score(self, name: str) -> ScoreDeployment:
        """The scorer called `name`.

        Raises:
            NotFoundError: S01 when no model is called so.
            UsageError: S08 when it gives no numbers.
        """
        found = self._find(name)
        if not isinstance(found, ScoreDeployment):
            raise UsageError("S08", field="model", name=name, other=_ROUTES[found.task])
        return found

    def _find(self, name: str) -> Deployment:
        if name not in self._by_name:
            known = ", ".join(deployment.name for deployment in self._all)
            raise NotFoundError("S01", field="model", name=name, known=known)
        return self._by_name[name]

    def close(self) -> None:
        """Stop all engines."""
        for deployment in self._all:
            deployment.engine.close()
