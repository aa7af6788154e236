"""What is told of a served model, and the forms of what each task is asked and finds, as JSON and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tunesmith.models.reader import Answer
from tunesmith.models.tagger import Entity
from tunesmith.serve.served import Deployment, Question, Rewriting, ServedTask

_FACTS = ("task", "context", "vocabulary", "labels", "several", "width", "computed", "instead")

_ASKED: Mapping[str, Callable[[Any], Any]] = {
    "answer": lambda said: Question(**said),
    "translate": lambda said: Rewriting(**said),
    "summarise": lambda said: Rewriting(**said),
}
_FOUND: Mapping[str, Callable[[Any], Any]] = {
    "answer": lambda said: Answer(**said),
    "tag": lambda said: [Entity(**entity) for entity in said],
}


def facts(deployment: Deployment) -> dict[str, Any]:
    """What a server has to know of a model that is loaded elsewhere."""
    known = {name: getattr(deployment, name) for name in _FACTS if hasattr(deployment, name)}
    return {**known, "has_tokenizer": deployment.tokenizer is not None}


def asked_in(task: ServedTask, said: Sequence[Any]) -> Sequence[Any]:
    """What is asked, out of JSON."""
    return [_ASKED[task](one) for one in said] if task in _ASKED else said


def found_in(task: ServedTask, said: Sequence[Any]) -> Sequence[Any]:
    """What was found, out of JSON."""
    return [_FOUND[task](one) for one in said] if task in _FOUND else said
