"""Answers checked before they are kept, compared with each other, and put together with their rows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from tunesmith.core.errors import UsageError
from tunesmith.core.store.labelling import Answer, Project
from tunesmith.data.annotation.kinds import (
    ANSWER,
    CHOICES,
    CLASS,
    CORRECTION,
    MULTILABEL,
    PREFERENCE,
    RATING,
    SPANS,
    TIE,
)

Content = Mapping[str, Any]

FORMS: Mapping[str, str] = {
    CLASS: '{"label": name}',
    MULTILABEL: '{"labels": [name, ...]}',
    SPANS: '{"spans": [{"start", "end", "label"}, ...]}',
    ANSWER: '{"answers": [{"start", "text"}, ...]}',
    PREFERENCE: '{"choice": "a" | "b" | "tie"}',
    RATING: '{"rating": 1..scale}',
    CORRECTION: '{"text": ...}',
}


def checked(project: Project, content: Content, answer: Answer) -> dict[str, Any]:
    """The answer as it is kept: in order, each label and each place once.

    Raises:
        UsageError: L05 for a label that the project does not have, L06 for a place that is not in the text,
            L07 for an answer of another form.
    """
    try:
        return _CHECKS[project.task](project, content, answer)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError("L07", task=project.task, form=FORMS[project.task]) from error


def same(task: str, answer: Answer) -> Hashable:
    """What two answers have in common if and only if they say the same."""
    if task == MULTILABEL:
        return tuple(sorted(answer["labels"]))
    if task == SPANS:
        return tuple(sorted((s["start"], s["end"], s["label"]) for s in answer["spans"]))
    if task == ANSWER:
        return tuple(sorted((a["start"], a["text"]) for a in answer["answers"]))
    (value,) = answer.values()
    return str(value)


def row(task: str, content: Content, answer: Answer) -> dict[str, Any] | None:
    """The row in the shape of its kind (`kinds.SHAPES`); None for a tie, which prefers nothing."""
    if task == ANSWER:
        return {"question": content["question"], "context": content["text"], "answers": answer["answers"]}
    if task == PREFERENCE:
        return _preferred(content, answer["choice"])
    if task == CORRECTION:
        return {"source": content.get("source", content["text"]), "target": answer["text"]}
    own = {"score": float(answer["rating"])} if task == RATING else dict(answer)
    return {"text": content["text"], **own, **({"tokens": None} if task == SPANS else {})}


def _preferred(content: Content, choice: str) -> dict[str, Any] | None:
    if choice == TIE:
        return None
    other = "b" if choice == "a" else "a"
    return {
        "prompt": _turns("user", content["prompt"]),
        "chosen": _turns("assistant", content[choice]),
        "rejected": _turns("assistant", content[other]),
        "tools": None,
    }


def _turns(role: str, said: str) -> list[dict[str, Any]]:
    return [{"role": role, "content": said, "tool_calls": None}]


def _label(project: Project, name: Any) -> str:
    if not any(label.name == name for label in project.labels):
        raise UsageError("L05", label=name, known=", ".join(label.name for label in project.labels))
    return str(name)


def _class(project: Project, _: Content, answer: Answer) -> dict[str, Any]:
    return {"label": _label(project, answer["label"])}


def _labels(project: Project, _: Content, answer: Answer) -> dict[str, Any]:
    given = {_label(project, name) for name in answer["labels"]}
    return {"labels": [label.name for label in project.labels if label.name in given]}


def _spans(project: Project, content: Content, answer: Answer) -> dict[str, Any]:
    found = {(*_place(content, s["start"], s["end"]), _label(project, s["label"])) for s in answer["spans"]}
    return {"spans": [{"start": a, "end": b, "label": label} for a, b, label in sorted(found)]}


def _answers(_: Project, content: Content, answer: Answer) -> dict[str, Any]:
    found = set()
    for one in answer["answers"]:
        start, end = _place(content, one["start"], one["start"] + len(one["text"]))
        if content["text"][start:end] != one["text"]:
            raise UsageError("L06", start=start, end=end, length=len(content["text"]))
        found.add((start, one["text"]))
    return {"answers": [{"text": said, "start": start} for start, said in sorted(found)]}


def _place(content: Content, start: Any, end: Any) -> tuple[int, int]:
    length = len(content["text"])
    if isinstance(start, bool) or isinstance(end, bool) or not 0 <= int(start) < int(end) <= length:
        raise UsageError("L06", start=start, end=end, length=length)
    return int(start), int(end)


def _choice(_: Project, __: Content, answer: Answer) -> dict[str, Any]:
    return {"choice": CHOICES[CHOICES.index(answer["choice"])]}


def _rating(project: Project, _: Content, answer: Answer) -> dict[str, Any]:
    steps = range(1, project.scale + 1)
    return {"rating": steps[steps.index(answer["rating"])]}


def _correction(_: Project, __: Content, answer: Answer) -> dict[str, Any]:
    said: str = answer["text"]
    # A half of a surrogate pair is no character, and no database keeps it.
    said.encode()
    return {"text": said.replace("\0", "")}


_CHECKS: Mapping[str, Callable[[Project, Content, Answer], dict[str, Any]]] = {
    CLASS: _class,
    MULTILABEL: _labels,
    SPANS: _spans,
    ANSWER: _answers,
    PREFERENCE: _choice,
    RATING: _rating,
    CORRECTION: _correction,
}
