"""Questions whose answers stand in a text: SQuAD 1.1 and 2.0, CMRC, HF's rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, ClassVar

from tunesmith.data import names, shapes
from tunesmith.data.layouts.layout import Mapped, RefusedError, Row, RowLayout, Sample, required
from tunesmith.data.table import as_text


class Squad(RowLayout):
    """{"question", "context", "answers"}: [{"text", "answer_start"}] or {"text": [], "answer_start": []}.

    No answer means that there is none in the text. A start that is not said is looked for; one answer at
    least must stand in the text, the others are right too.
    """

    name: ClassVar[str] = "squad"
    is_written: ClassVar[bool] = True
    shape: ClassVar[str] = shapes.ANSWERED
    fields: ClassVar[tuple[str, ...]] = ("question", "context", "answers")

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """A question, the text it is about and the answers."""
        usual = {"question": names.QUESTION, "context": names.CONTEXT, "answers": names.ANSWERS}
        found = {field: fields.get(field) or sample.named(*wanted) for field, wanted in usual.items()}
        known = {field: column for field, column in found.items() if column is not None}
        return [known] if len(known) == len(usual) and not sample.named("options", "choices") else []

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Every row."""
        return True

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """Question, text and answers."""
        question = required(row, mapping["question"], "empty_question")
        context = required(row, mapping["context"], "empty_context")
        answers = [_answer(*pair, context) for pair in _pairs(row[mapping["answers"]])]
        if answers and all(answer["start"] < 0 for answer in answers):
            raise RefusedError("bad_answers")
        return question, context, answers

    def write(self, row: Row) -> Row:
        """The row as HF's data set has it."""
        texts = [answer["text"] for answer in row["answers"]]
        starts = [answer["start"] for answer in row["answers"]]
        answers = {"text": texts, "answer_start": starts}
        return {"context": row["context"], "question": row["question"], "answers": answers}


def documents(rows: Iterable[Row], first: int, *, numbered: bool) -> Iterator[Row]:
    """Written rows as SQuAD's paragraphs, questions numbered from `first`; rows of one text together.

    With `numbered` (CMRC) texts have numbers too, and nothing says what is impossible.
    """
    number = first
    for context, group in groupby(rows, key=lambda row: row["context"]):
        questions = [_question(row, number + i, numbered) for i, row in enumerate(group)]
        text = {"id": str(number)} if numbered else {}
        yield {"title": "", "paragraphs": [{**text, "context": context, "qas": questions}]}
        number += len(questions)


def _question(row: Row, number: int, numbered: bool) -> Row:
    texts, starts = row["answers"]["text"], row["answers"]["answer_start"]
    answers = [{"text": text, "answer_start": start} for text, start in zip(texts, starts, strict=True)]
    said = {"id": str(number), "question": row["question"], "answers": answers}
    return said if numbered else {**said, "is_impossible": not answers}


def _pairs(cell: Any) -> Iterator[tuple[Any, Any]]:
    """Text and start (None where it is not said) of every answer."""
    if isinstance(cell, dict) and isinstance(cell.get("text"), list):
        starts = cell.get("answer_start") or [None] * len(cell["text"])
        if not isinstance(starts, list) or len(starts) != len(cell["text"]):
            raise RefusedError("bad_answers")
        yield from zip(cell["text"], starts, strict=True)
        return
    items = cell if isinstance(cell, list) else [] if cell in (None, "") else [cell]
    for item in items:
        yield (item.get("text"), item.get("answer_start")) if isinstance(item, dict) else (item, None)


def _answer(text: Any, start: Any, context: str) -> Row:
    told = as_text(text)
    if told is None or not told or not isinstance(start, int | None) or isinstance(start, bool):
        raise RefusedError("bad_answers")
    return {"text": told, "start": context.find(told) if start is None else start}
