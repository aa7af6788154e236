"""A request, its answer and what was said of it, as a row to learn from; by the route of the request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.data.cleaners.pii import mask
from tunesmith.workflow.feedback.marks import NOTHING, placed, read

Record = Mapping[str, Any]
Row = dict[str, Any]
Wanted = str | list[dict[str, Any]] | None
"""The right answer: a text, or the right words of a text; None where nothing was wrong."""


class UnfitError(Exception):
    """An opinion from which no row can be made; the argument is the reason."""


def row_of(request: Record, wanted: Wanted) -> Row:
    """The row that a request makes when its answer should have been `wanted`, or was right.

    Raises:
        UnfitError: `other_route`, `unreadable`, `several_texts`, `unknown_label` or `not_in_text`.
    """
    route, asked, answered = request["route"], request.get("request"), request.get("answer")
    if route not in {*_ROUTES, *_MARKED} or not isinstance(asked, dict) or not isinstance(answered, dict):
        raise UnfitError("other_route")
    try:
        return _made(route, asked, answered, wanted)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise UnfitError("unreadable") from error


def _made(route: str, asked: Record, answered: Record, wanted: Wanted) -> Row:
    if make := _MARKED.get(route):
        return make(asked, answered, wanted)
    if isinstance(wanted, list):
        raise UnfitError("unreadable")
    return _ROUTES[route](asked, answered, wanted)


def _tagged(asked: Record, answered: Record, wanted: Wanted) -> Row:
    text = _masked_text(_text(asked))
    marks = _only(answered["data"])["entities"] if wanted is None else wanted
    return {"text": text, "spans": _placed(text, marks)}


def _answered(asked: Record, answered: Record, wanted: Wanted) -> Row:
    given = asked["input"] if isinstance(asked["input"], dict) else _only(asked["input"])
    question, context = _masked_text(given["question"]), _masked_text(given["context"])
    said = _only(answered["data"])
    marks = ([said] if said["text"] else []) if wanted is None else wanted
    if isinstance(marks, str):
        marks = [] if marks.strip() == NOTHING else [{"text": marks.strip()}]
    spans = _placed(context, marks)
    answers = {
        "text": [context[one["start"] : one["end"]] for one in spans],
        "answer_start": [one["start"] for one in spans],
    }
    return {"question": question, "context": context, "answers": answers}


def _placed(text: str, said: str | Sequence[Record]) -> list[dict[str, Any]]:
    try:
        marks = read(said) if isinstance(said, str) else said
        return placed(text, [{**mark, "text": _masked_text(mark["text"])} for mark in marks])
    except ValueError as error:
        raise UnfitError("not_in_text") from error


def _masked_text(text: str) -> str:
    return mask([text])[0]


def _classified(asked: Record, answered: Record, wanted: str | None) -> Row:
    found = _only(answered["data"])
    if wanted is None:
        return {"text": _text(asked), "label": found["label"]}
    # A label that the model does not know is more often a slip than a new label.
    known = {label.strip().casefold(): label for label in found["probabilities"]}
    if wanted.strip().casefold() not in known:
        raise UnfitError("unknown_label")
    return {"text": _text(asked), "label": known[wanted.strip().casefold()]}


def _rewritten(asked: Record, answered: Record, wanted: str | None) -> Row:
    said = _only(answered["data"])["text"]
    return {"source": _text(asked), "target": said if wanted is None else wanted}


def _chatted(asked: Record, answered: Record, wanted: str | None) -> Row:
    if any(not isinstance(turn.get("content"), str) or turn.get("tool_calls") for turn in asked["messages"]):
        raise UnfitError("other_route")
    said = (
        answered["texts"] if "texts" in answered else [c["message"]["content"] for c in answered["choices"]]
    )
    turns = [{"role": turn["role"], "content": turn["content"]} for turn in asked["messages"]]
    return {"messages": [*turns, {"role": "assistant", "content": _only(said) if wanted is None else wanted}]}


def _text(asked: Record) -> str:
    texts = asked["input"]
    return texts if isinstance(texts, str) else str(_only(texts))


def _only(items: Any) -> Any:
    """The one item there is: of several it is not known which was meant."""
    if len(items) != 1:
        raise UnfitError("several_texts")
    return items[0]


_ROUTES = {
    "/v1/classify": _classified,
    "/v1/translate": _rewritten,
    "/v1/summarise": _rewritten,
    "/v1/chat/completions": _chatted,
}
_MARKED = {"/v1/tag": _tagged, "/v1/answer": _answered}
"""Where the right answer are words of what was asked about; places in it are those after masking."""
