"""From a model to what serves it: the engine that computes for it, under its names.

It goes by what kind a model says it is of, so that a server imports nothing of other kinds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from tunesmith.core.errors import ModelError
from tunesmith.models import card, inspection
from tunesmith.models import tokenizer as tokenizers
from tunesmith.models.language import contract_of
from tunesmith.models.resolve import weights_digest
from tunesmith.serve.admission import Limits
from tunesmith.serve.choice import choose, kept
from tunesmith.serve.classifier_engine import Classifier, ClassifierEngine
from tunesmith.serve.names import Computing
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

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import nn

    from tunesmith.models.contract import PromptContract
    from tunesmith.models.embedder import TextEmbedder
    from tunesmith.models.filler import TextFiller
    from tunesmith.models.hosted import HostedModel
    from tunesmith.models.reader import Answer, TextReader
    from tunesmith.models.scorer import TextScorer
    from tunesmith.models.tagger import TextTagger
    from tunesmith.models.translator import Translator

_Predictor: TypeAlias = Callable[[Any, Limits, dict[str, Any]], Deployment]
_REFUSED = {"masked": "ask, eval", "hosted": "ask, eval, eval.against"}  # and what they are for instead


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
    kind = getattr(model, "kind", "")
    if kind in _REFUSED:
        raise ModelError("M14", name=model.name, wanted="serve", task=_REFUSED[kind])
    limits = limits or Limits()
    names: dict[str, Any] = {
        "name": name or model.name,
        "aliases": tuple(aliases),
        "created": int(time.time()),
        "tokenizer": getattr(model, "tokenizer", None),
    }
    if isinstance(model, Generator):
        return _text(model, limits, computing or Computing(engine="torch"), names)
    predictor: _Predictor = _PREDICTORS.get(kind, _classes)
    return predictor(model, limits, names)


def deploy_kept(
    folder: Path, *, name: str, limits: Limits, computing: Computing
) -> tuple[TextDeployment, str] | None:
    """As `deploy`, for a language model that was packed before and is not loaded; None where it has to be.

    With it comes the digest of its weights, which is found while torch is imported.

    Raises:
        ModelError: when the folder is damaged.
    """
    found = card.read(folder)
    if found.kind != "language" or found.code or (folder / "adapter_config.json").exists():
        return None
    if computing.engine == "torch":
        return None
    with ThreadPoolExecutor(1) as beside:
        digest = beside.submit(weights_digest, folder)
        import torch  # noqa: F401  which takes as long, and is needed in any case

    if (chosen := kept(digest.result(), limits, computing)) is None:
        return None
    inspection.inspect(folder)
    tokenizer = tokenizers.load(folder)
    contract = contract_of(folder, tokenizer)
    made = TextDeployment(
        name=name,
        created=int(time.time()),
        tokenizer=tokenizer,
        contract=contract,
        context=contract.context or found.context,
        vocabulary=chosen.engine.vocabulary,
        engine=chosen.engine,
        computed=chosen.computed,
    )
    return made, digest.result()


def _text(model: Generator, limits: Limits, wished: Computing, names: dict[str, Any]) -> TextDeployment:
    chosen = choose(model.module, limits, getattr(model, "digest", ""), wished)
    return TextDeployment(
        contract=model.contract,
        context=model.context,
        vocabulary=chosen.engine.vocabulary,
        engine=chosen.engine,
        computed=chosen.computed,
        instead=chosen.instead,
        **names,
    )


def _classes(model: Classifier, limits: Limits, names: dict[str, Any]) -> ClassifyDeployment:
    several = bool(getattr(model, "several", False))
    engine = ClassifierEngine(model.predict, limits)
    return ClassifyDeployment(labels=tuple(model.labels), several=several, engine=engine, **names)


def _vectors(model: TextEmbedder, limits: Limits, names: dict[str, Any]) -> EmbedDeployment:
    engine = ClassifierEngine(model.embed_ids, limits)
    return EmbedDeployment(width=model.width, context=model.context, engine=engine, **names)


def _numbers(model: TextScorer, limits: Limits, names: dict[str, Any]) -> ScoreDeployment:
    return ScoreDeployment(engine=ClassifierEngine(model.score, limits), **names)


def _spans(model: TextTagger, limits: Limits, names: dict[str, Any]) -> TagDeployment:
    return TagDeployment(labels=model.labels, engine=ClassifierEngine(model.tag, limits), **names)


def _answers(model: TextReader, limits: Limits, names: dict[str, Any]) -> AnswerDeployment:
    engine = ClassifierEngine[Question, "Sequence[Answer]"](lambda asked: _answer(model, asked), limits)
    return AnswerDeployment(engine=engine, **names)


def _texts(model: Translator, limits: Limits, names: dict[str, Any]) -> RewriteDeployment:
    task: ServedTask = "summarise" if model.task == "summarise" else "translate"
    return RewriteDeployment(task=task, engine=ClassifierEngine(partial(_rewrite, model), limits), **names)


# By the kind of a model that answers each item at once; others are classifiers.
_PREDICTORS: Mapping[str, _Predictor] = {
    "embedder": _vectors,
    "scorer": _numbers,
    "tagger": _spans,
    "reader": _answers,
    "encoder_decoder": _texts,
}


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
