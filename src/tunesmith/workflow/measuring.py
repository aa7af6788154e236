"""What a model, in training or loaded, does on rows: outcomes and scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tunesmith.core.errors import ModelError
from tunesmith.eval import retrieval
from tunesmith.eval.outcome import (
    LabelOutcome,
    LabelsOutcome,
    Outcome,
    PreferenceOutcome,
    RetrievalOutcome,
    ScoreOutcome,
    SimilarityOutcome,
    TextOutcome,
    TokenOutcome,
    aligned,
)
from tunesmith.models.card import Card
from tunesmith.models.embedder import TextEmbedder
from tunesmith.models.filler import TextFiller
from tunesmith.models.hosted import HostedModel
from tunesmith.models.language import LanguageModel
from tunesmith.models.reader import TextReader
from tunesmith.models.scorer import TextScorer
from tunesmith.models.tagger import TextTagger
from tunesmith.models.translator import Translator
from tunesmith.models.turns import Message
from tunesmith.tasks.chat import talks
from tunesmith.tasks.task import Example, Learner, Task
from tunesmith.workflow import spans, spoken

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from tunesmith.models.classifier import TextClassifier
    from tunesmith.models.loading import Model
    from tunesmith.models.tfidf import TfidfClassifier

    _Single = (
        TextClassifier
        | TfidfClassifier
        | TextEmbedder
        | TextReader
        | TextTagger
        | TextScorer
        | TextFiller
        | Translator
    )

# Rows longer than this are cut when a language model is measured without a recipe that says otherwise.
_CONTEXT = 1024
_SAMPLE = 128
SAMPLES = 5
"""Answers that a report shows."""
WRITTEN = ("translate", "summarise")
"""The tasks that write one text for another."""


def outcome(task: Task, learner: Learner, frame: pl.DataFrame, examples: Sequence[Example]) -> Outcome:
    """What a model in training does on encoded rows."""
    found = task.measure(learner, examples)
    if "model" in found:
        return outcome_of(task, found["model"], frame, None)
    if "texts" in found:
        return written(frame, found["texts"], [example.row for example in examples])
    if "rewards" in found:
        rows = [example.row for example in examples]
        return PreferenceOutcome(rewards=found["rewards"], tokens=found["tokens"], rows=rows)
    if "shares" in found:
        return _several(frame, learner.card.labels, found["shares"])
    if "similarities" in found:
        return _similar(frame, found["similarities"])
    if "scores" in found:
        return scored(frame, found["scores"])
    if "vectors" in found:
        return _retrieved(frame, found["vectors"], [example.row for example in examples])
    if "probabilities" not in found:
        return _foreseen(found, [example.row for example in examples])
    return _labelled(frame, learner.card.labels, found["probabilities"])


def _foreseen(found: Mapping[str, NDArray[Any]], rows: Sequence[int]) -> TokenOutcome:
    """What was counted of the pieces of each row, together: long texts are learned in several."""
    known, places = np.unique(rows, return_inverse=True)
    sums = {name: np.zeros(len(known), dtype=values.dtype) for name, values in found.items()}
    for name, values in found.items():
        np.add.at(sums[name], places, values)
    return TokenOutcome(rows=known.tolist(), **sums)


def outcome_of(
    task: Task,
    model: Model,
    frame: pl.DataFrame,
    context: int | None,
    encoded: Callable[[Learner], Sequence[Example]] | None = None,
) -> Outcome:
    """What a loaded model does on rows, through the same paths as when it serves.

    `encoded` gives the examples of the rows where they are kept; else they are encoded here.

    Raises:
        ModelError: M14 when the model is not made for this task.
    """
    if isinstance(model, HostedModel):
        if task.shape == "labelled":
            return asked(model.with_labels(sorted(set(frame["label"]))), frame)
        return spoken.outcome(task, model, frame)
    if isinstance(model, LanguageModel):
        if task.shape not in ("text", "messages", "preferred") and task.name not in WRITTEN:
            usable = ", ".join(("generate", "chat", "prefer", *WRITTEN))
            raise ModelError("M14", name=model.name, wanted=task.name, task=usable)
        learner = _learner(model, context)
        examples = encoded(learner) if encoded else task.encode(frame, learner)[0]
        return outcome(task, learner, frame, examples)
    return _said(task, model, frame)


_OWN: Mapping[type, tuple[str, ...]] = {
    Translator: WRITTEN,
    TextEmbedder: ("embed",),
    TextTagger: ("tag",),
    TextReader: ("answer",),
    TextScorer: ("score",),
    TextFiller: ("mask",),
}


def _said(task: Task, model: _Single, frame: pl.DataFrame) -> Outcome:
    """What a model that does one task, or some that are alike, says of rows."""
    own = _OWN.get(type(model), ("classify",))
    if task.name not in own:
        raise ModelError("M14", name=model.name, wanted=task.name, task=", ".join(own))
    if isinstance(model, Translator):
        return written(frame, model.translate(frame["source"].to_list()), frame["_row"].to_list())
    if isinstance(model, TextEmbedder):
        return embedded(task, model, frame)
    if isinstance(model, TextReader):
        return spans.answered(frame, model)
    if isinstance(model, TextTagger):
        return spans.tagged(frame, model)
    if isinstance(model, TextFiller):
        return _filled(task, model, frame)
    if isinstance(model, TextScorer):
        return _judged(task, model, frame)
    return _classified(task, model, frame)


def _judged(task: Task, model: TextScorer, frame: pl.DataFrame) -> Outcome:
    """The numbers of texts, or the rewards of pairs of answers."""
    if task.shape == "scored":
        return scored(frame, model.score(frame["text"].to_list()))
    learner = Learner(
        module=model.module,
        backbone=model.module.encoder,
        tokenizer=model.tokenizer,
        card=Card(kind="scorer", context=model.context),
    )
    return outcome(task, learner, frame, task.encode(frame, learner)[0])


def _filled(task: Task, model: TextFiller, frame: pl.DataFrame) -> Outcome:
    """How well the hidden tokens of texts are found."""
    learner = Learner(
        module=model.module,
        backbone=model.module.base_model,  # type: ignore[arg-type]
        tokenizer=model.tokenizer,
        card=Card(kind="masked", context=model.context),
    )
    return outcome(task, learner, frame, task.encode(frame, learner)[0])


class Embedder(Protocol):
    """Whatever gives texts vectors."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vector of each text, [texts, width], of length 1."""


def embedded(task: Task, model: Embedder, frame: pl.DataFrame) -> Outcome:
    """What is found by vectors, or how alike they are where rows say how alike texts are."""
    sides = [model.embed(frame[side].to_list()) for side in ("source", "target")]
    if task.shape == "compared":
        return _similar(frame, (sides[0] * sides[1]).sum(axis=1))
    return _retrieved(frame, np.stack(sides, axis=1), frame["_row"].to_list())


def scored(frame: pl.DataFrame, scores: NDArray[np.float32]) -> ScoreOutcome:
    """Texts with the numbers [texts] that a model gives them."""
    return ScoreOutcome(
        texts=frame["text"].to_list(),
        targets=frame["score"].to_numpy(),
        predicted=scores,
        rows=frame["_row"].to_list(),
    )


def _similar(frame: pl.DataFrame, similarities: NDArray[np.float32]) -> SimilarityOutcome:
    return SimilarityOutcome(
        sources=frame["source"].to_list(),
        others=frame["target"].to_list(),
        targets=frame["score"].to_numpy(),
        predicted=similarities,
        rows=frame["_row"].to_list(),
    )


def _classified(task: Task, model: TextClassifier | TfidfClassifier, frame: pl.DataFrame) -> Outcome:
    """What a classifier says of texts with one label or several."""
    return labelled(task, frame, model.labels, model.predict(frame["text"].to_list()))


def labelled(task: Task, frame: pl.DataFrame, known: Sequence[str], shares: NDArray[np.float32]) -> Outcome:
    """Texts with the probabilities [texts, known] that a model gives labels, one of them right or several."""
    return (_several if task.shape == "multilabelled" else _labelled)(frame, known, shares)


def _retrieved(frame: pl.DataFrame, vectors: NDArray[np.float32], rows: Sequence[int]) -> RetrievalOutcome:
    """What sources find by vectors [rows, 2, width], those of the sources and of the targets."""
    wanted = retrieval.unranked(*_sides(frame, rows), rows)
    first = np.unique(wanted.right, return_index=True)[1]
    documents = vectors[first, 1].T
    return wanted.ranked(retrieval.ranks(wanted, lambda part: vectors[part, 0] @ documents))


def _sides(frame: pl.DataFrame, rows: Sequence[int]) -> tuple[Sequence[str], Sequence[str]]:
    """The sources and the targets of some rows of a frame, in their order."""
    pairs = {row: pair for row, *pair in frame.select("_row", "source", "target").iter_rows()}
    sources, targets = zip(*(pairs[row] for row in rows), strict=True) if rows else ((), ())
    return sources, targets


def written(frame: pl.DataFrame, texts: Sequence[str], rows: Sequence[int]) -> TextOutcome:
    """What a model wrote for some rows of a frame, in their order."""
    sources, targets = _sides(frame, rows)
    return TextOutcome(sources=sources, targets=targets, predicted=texts, rows=rows)


def asked(model: HostedModel, frame: pl.DataFrame) -> LabelOutcome:
    """What a hosted model, told the labels and no example, answers: a label for each row or none."""
    answers = model.classify(frame["text"].to_list())
    known = sorted(set(answers))
    shares = np.array([[answer == label for label in known] for answer in answers], dtype=np.float32)
    return _labelled(frame, known, shares.reshape(len(answers), len(known)))


def _learner(model: LanguageModel, context: int | None) -> Learner:
    card = Card(kind="language", context=min(model.context, context or _CONTEXT))
    return Learner(
        module=model.module, backbone=model.module, tokenizer=model.tokenizer, card=card,
        contract=model.contract,
    )  # fmt: skip


def _labelled(frame: pl.DataFrame, known: Sequence[str], probabilities: NDArray[np.float32]) -> LabelOutcome:
    """Labels a model does not know have probability 0; labels without rows stay."""
    labels = tuple(sorted({*known, *frame["label"]}))
    index = {label: i for i, label in enumerate(labels)}
    shares = aligned(probabilities, tuple(known), labels)
    return LabelOutcome(
        labels=labels,
        texts=frame["text"].to_list(),
        targets=np.array([index[label] for label in frame["label"]], dtype=np.int64),
        predicted=shares.argmax(axis=1),
        probabilities=shares,
        rows=frame["_row"].to_numpy().astype(np.int64),
    )


def _several(frame: pl.DataFrame, known: Sequence[str], shares: NDArray[np.float32]) -> LabelsOutcome:
    """Labels a model does not know have probability 0; labels without rows stay."""
    of_rows = frame["labels"].to_list()
    labels = tuple(sorted({*known, *(label for row in of_rows for label in row)}))
    targets = [[label in row for label in labels] for row in of_rows]
    return LabelsOutcome(
        labels=labels,
        texts=frame["text"].to_list(),
        targets=np.array(targets, dtype=np.int8).reshape(len(of_rows), len(labels)),
        probabilities=aligned(shares, tuple(known), labels),
        rows=frame["_row"].to_list(),
    )


def speaker(learner: Learner) -> LanguageModel | None:
    """A model in training as it is when it is loaded, if it is one that writes."""
    if learner.card.kind != "language" or learner.contract is None:
        return None
    return LanguageModel(
        name="", module=learner.backbone, tokenizer=learner.tokenizer, contract=learner.contract,
        context=learner.card.context or 0,
    )  # fmt: skip


def samples(
    model: Model, frame: pl.DataFrame, seed: int, count: int = SAMPLES, tokens: int = _SAMPLE
) -> list[dict[str, Any]]:
    """What a chat model answers to the first questions of a part, beside the answers in the data."""
    if not isinstance(model, LanguageModel):
        return []
    found: list[dict[str, Any]] = []
    for question, expected, tools in questions(frame.head(count)):
        if len(model.contract.encode(model.tokenizer, question, tools)) >= model.context:
            continue  # no room for an answer
        answer = model.chat(question, tools=tools, max_new_tokens=tokens, seed=seed)
        found.append({"prompt": question[-1]["content"], "answer": answer, "expected": expected})
    return found


def questions(frame: pl.DataFrame) -> Iterator[tuple[list[Message], str | None, str | None]]:
    """What each row of conversations or preferences asks, the good answer if there is one, and the tools."""
    if "messages" in frame.columns:
        yield from ((turns[:-1], turns[-1]["content"], tools) for turns, tools in talks(frame))
    elif "chosen" in frame.columns:
        for prompt, chosen, tools in frame.select("prompt", "chosen", "tools").iter_rows():
            yield prompt, chosen[-1]["content"] if chosen else None, tools
