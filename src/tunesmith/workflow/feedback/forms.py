"""A row of feedback as what is shown to a reviewer, what the opinion says of it, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.data.annotation.kinds import ANSWER, CLASS, CORRECTION, SPANS
from tunesmith.workflow.feedback.answered import Row

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """`content` is shown, `said` is suggested; `put` gives the row with a reviewer's answer."""

    content: Callable[[Row], Values]
    said: Callable[[Row], Values]
    put: Callable[[Row, Values], Row]


def kind_of(row: Row) -> str:
    """The kind of labelling by which a row is reviewed."""
    return next((kind for field, kind in _BY_FIELD.items() if field in row), CORRECTION)


def form_of(row: Row) -> Form:
    """What to show of a row."""
    return _FORMS[kind_of(row)]


def _put(row: Row, answer: Values) -> Row:
    return {**row, **answer}


def _asked(row: Row) -> Values:
    return {"question": row["question"], "text": row["context"]}


def _answers(row: Row) -> Values:
    pairs = zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True)
    return {"answers": [{"start": start, "text": text} for text, start in pairs]}


def _put_answers(row: Row, answer: Values) -> Row:
    found = answer["answers"]
    texts, starts = ([one[name] for one in found] for name in ("text", "start"))
    return {**row, "answers": {"text": texts, "answer_start": starts}}


def _written(row: Row) -> Values:
    """A translation or summary beside its text; the last turn of a conversation beside those before."""
    if "messages" not in row:
        return {"source": row["source"], "text": row["target"]}
    *before, last = row["messages"]
    return {"source": "\n".join(turn["content"] for turn in before), "text": last["content"]}


def _put_written(row: Row, answer: Values) -> Row:
    if "messages" not in row:
        return {**row, "target": answer["text"]}
    *before, last = row["messages"]
    return {**row, "messages": [*before, {**last, "content": answer["text"]}]}


_BY_FIELD = {"label": CLASS, "spans": SPANS, "answers": ANSWER}
_FORMS: Mapping[str, Form] = {
    CLASS: Form(
        content=lambda row: {"text": row["text"]}, said=lambda row: {"label": row["label"]}, put=_put
    ),
    SPANS: Form(
        content=lambda row: {"text": row["text"]}, said=lambda row: {"spans": row["spans"]}, put=_put
    ),
    ANSWER: Form(content=_asked, said=_answers, put=_put_answers),
    CORRECTION: Form(content=_written, said=lambda row: {"text": _written(row)["text"]}, put=_put_written),
}
