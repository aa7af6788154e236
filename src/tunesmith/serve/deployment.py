"""From a model to what serves it: the engine that computes for it, under its names."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol, runtime_checkable

from tokenizers import Tokenizer
from torch import nn

from tunesmith.core.errors import ModelError
from tunesmith.models.classifier import TextClassifier
from tunesmith.models.contract import PromptContract
from tunesmith.models.decoder import vocabulary_size
from tunesmith.models.embedder import TextEmbedder
from tunesmith.models.filler import TextFiller
from tunesmith.models.hosted import HostedModel
from tunesmith.models.reader import Answer, TextReader
from tunesmith.models.scorer import TextScorer
from tunesmith.models.tagger import TextTagger
from tunesmith.models.translator import Translator
from tunesmith.serve.admission import Limits
from tunesmith.serve.choice import Computing, choose
from tunesmith.serve.classifier_engine import Classifier, ClassifierEngine
from tunesmith.serve.served import (
    AnswerDeployment,
    ClassifyDeployment,
    Deployment,
    EmbedDeployment,
    Question,
    RewriteDeployment,
    Rewriting,
    ScoreDeployment,
    ServedTask,
    TagDeployment,
    TextDeployment,
)


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
    computing: Computing | None = None,
) -> Deployment:
    """Start an engine for a model. It answers to `name` (the model's own if None) and to `aliases`.

    `computing` says which engine a language model gets; None is torch.

    Raises:
        ModelError: M14 for a model without a route, and for a hosted one: this server asks no other.
    """
    if isinstance(model, TextFiller):
        raise ModelError("M14", name=model.name, wanted="serve", task="ask, eval")
    if isinstance(model, HostedModel):
        raise ModelError("M14", name=model.name, wanted="serve", task="ask, eval, eval.against")
    limits = limits or Limits()
    names: dict[str, Any] = {
        "name": name or model.name,
        "aliases": tuple(aliases),
        "created": int(time.time()),
        "tokenizer": getattr(model, "tokenizer", None),
    }
    if isinstance(model, Generator):
        wished = computing or Computing(engine="torch")
        chosen = choose(model.module, limits, getattr(model, "digest", ""), wished)
        return TextDeployment(
            contract=model.contract,
            context=model.context,
            vocabulary=vocabulary_size(model.module),
            engine=chosen.engine,
            computed=chosen.computed,
            instead=chosen.instead,
            **names,
        )
    return _predictor(model, limits, names)


def _predictor(
    model: Classifier | TextEmbedder | TextReader | TextTagger | TextScorer | Translator,
    limits: Limits,
    names: dict[str, Any],
) -> Deployment:
    """A model that answers each item at once."""
    match model:
        case TextEmbedder():
            vectors = ClassifierEngine(model.embed_ids, limits)
            return EmbedDeployment(width=model.width, context=model.context, engine=vectors, **names)
        case TextScorer():
            return ScoreDeployment(engine=ClassifierEngine(model.score, limits), **names)
        case TextTagger():
            return TagDeployment(labels=model.labels, engine=ClassifierEngine(model.tag, limits), **names)
        case TextReader():
            answers = ClassifierEngine[Question, Sequence[Answer]](
                lambda asked: _answer(model, asked), limits
            )
            return AnswerDeployment(engine=answers, **names)
        case Translator():
            task: ServedTask = "summarise" if model.task == "summarise" else "translate"
            texts = ClassifierEngine(partial(_rewrite, model), limits)
            return RewriteDeployment(task=task, engine=texts, **names)
    several = isinstance(model, TextClassifier) and model.several
    engine = ClassifierEngine(model.predict, limits)
    return ClassifyDeployment(labels=tuple(model.labels), several=several, engine=engine, **names)


def _answer(model: TextReader, asked: Sequence[Question]) -> Sequence[Answer]:
    return model.answer([one.question for one in asked], [one.context for one in asked])


def _rewrite(model: Translator, wishes: Sequence[Rewriting]) -> Sequence[str]:
    """Written together are texts with the same settings."""
    found: dict[int, str] = {}
    for beams, penalty in dict.fromkeys((wish.beams, wish.length_penalty) for wish in wishes):
        same = [i for i, w in enumerate(wishes) if (w.beams, w.length_penalty) == (beams, penalty)]
        texts = [wishes[i].text for i in same]
        found.update(zip(same, model.translate(texts, beams=beams, length_penalty=penalty), strict=True))
    return [found[i] for i in range(len(wishes))]
