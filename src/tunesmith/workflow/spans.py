"""What a model finds in the texts of a part, beside what stands in the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from tunesmith.eval.outcome import AnswerOutcome, Entity, EntityOutcome
from tunesmith.language.units import units

if TYPE_CHECKING:
    import polars as pl

    from tunesmith.models import reader, tagger


class Tagger(Protocol):
    """What finds entities, here or behind an address."""

    def tag(self, texts: Sequence[str]) -> Sequence[Sequence[tagger.Entity]]:
        """The entities of each text."""
        ...


class Reader(Protocol):
    """What answers from texts, here or behind an address."""

    def answer(self, questions: Sequence[str], texts: Sequence[str]) -> Sequence[reader.Answer]:
        """The answer to each question from the text beside it."""
        ...


def tagged(frame: pl.DataFrame, model: Tagger) -> EntityOutcome:
    """The entities that a tagger finds; tokens are those of the data, or units where it has none."""
    texts = frame["text"].to_list()
    given = zip(texts, frame["tokens"].to_list(), strict=True)
    return EntityOutcome(
        texts=texts,
        tokens=[
            units(text) if tokens is None else [(one["start"], one["end"]) for one in tokens]
            for text, tokens in given
        ],
        targets=entities(frame),
        predicted=[[(one.start, one.end, one.label) for one in row] for row in model.tag(texts)],
        rows=frame["_row"].to_list(),
    )


def entities(frame: pl.DataFrame) -> list[list[Entity]]:
    """The entities of each row of a part, as the data has them."""
    return [[(one["start"], one["end"], one["label"]) for one in row] for row in frame["spans"].to_list()]


def answered(frame: pl.DataFrame, model: Reader) -> AnswerOutcome:
    """What a reader answers to the questions of a part."""
    questions, contexts = frame["question"].to_list(), frame["context"].to_list()
    return AnswerOutcome(
        questions=questions,
        contexts=contexts,
        targets=[[answer["text"] for answer in row] for row in frame["answers"].to_list()],
        predicted=[answer.text for answer in model.answer(questions, contexts)],
        rows=frame["_row"].to_list(),
    )
