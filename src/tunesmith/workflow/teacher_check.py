"""Whether the teachers that a recipe names can teach its models; nothing is computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from tunesmith.core.errors import Problem, TunesmithError
from tunesmith.core.recipe import Made, Recipe
from tunesmith.core.recipe_file import Document
from tunesmith.core.workspace import Workspace
from tunesmith.data.shapes import LABELLED, MESSAGES, PAIRED
from tunesmith.models import borrowed, card, tokenizer
from tunesmith.models.resolve import Resolved, resolve
from tunesmith.tasks.task import Task

_AT = ("train", "loss", "teacher")
_ANSWERS = ("data", "teacher")
# The kinds of models whose answers rows of a shape can have in place of their own.
_ANSWER = {
    MESSAGES: ("language", "hosted"),
    LABELLED: ("classifier", "tfidf", "hosted"),
    PAIRED: ("encoder_decoder",),
}


def answering(document: Document, recipe: Recipe, task: Task, workspace: Workspace) -> Iterator[Problem]:
    """Why the teacher that `data` names cannot answer the rows."""
    if (name := recipe.data.teacher) is None:
        return
    if task.shape not in _ANSWER:
        yield document.problem("R18", _ANSWERS, task=task.name, key="data.teacher")
        return
    try:
        teacher = resolve(name, workspace, base=document.path.absolute().parent)
        yield from _unfit(document, _ANSWERS, teacher, task, _ANSWER[task.shape])
        if teacher.hosted is not None:
            teacher.hosted.endpoint.secret()
    except TunesmithError as error:
        found = error.problems[0]
        yield document.problem(found.code, _ANSWERS, **found.values)


def problems(document: Document, recipe: Recipe, task: Task, workspace: Workspace) -> Iterator[Problem]:
    """Why the teacher that the loss names cannot teach the recipe's models."""
    loss = recipe.train.loss
    if "teacher" not in loss.settings or "kl" not in task.losses:
        return
    if (name := loss.settings["teacher"]) is None:
        yield document.problem("T14", ("train", "loss"), loss=loss.name)
        return
    base = document.path.absolute().parent
    try:
        teacher = resolve(name, workspace, base=base)
        if teacher.hosted is not None:
            yield document.problem("T10", _AT, name=teacher.name)
            return
        wanted = ("classifier", "tfidf") if task.name == "classify" else ("language",)
        yield from _unfit(document, _AT, teacher, task, wanted)
        if task.name != "classify" and teacher.folder is not None:
            yield from _other_tokens(document, teacher.folder, recipe, workspace)
    except TunesmithError as error:
        found = error.problems[0]
        yield document.problem(found.code, _AT, **found.values)


def _unfit(
    document: Document, at: tuple[str, ...], teacher: Resolved, task: Task, wanted: tuple[str, ...]
) -> Iterator[Problem]:
    """A teacher that was not trained for the task, or for several labels of a row."""
    found = card.read(teacher.folder) if teacher.folder else None
    kind = "hosted" if teacher.hosted is not None else found.kind if found else "-"
    if kind not in wanted or (found is not None and found.several):
        values = {"kind": kind, "wanted": ", ".join(wanted)}
        yield document.problem("T11", at, name=teacher.name, task=task.name, **values)


def _other_tokens(
    document: Document, teacher: Path, recipe: Recipe, workspace: Workspace
) -> Iterator[Problem]:
    """A problem for each model of the recipe that has not the teacher's tokens."""
    known = tokenizer.load(teacher).get_vocab()
    for choice in recipe.model:
        own = _tokens(choice, workspace, document.path.absolute().parent)
        if own is not None and own != known:
            name = getattr(choice, "architecture", None) or getattr(choice, "code", choice)
            values = {"teacher": recipe.train.loss.settings["teacher"], "model": name}
            same = len(known.items() & own.items())
            yield document.problem("T12", _AT, tokens=len(known), same=same, **values)


def _tokens(choice: str | Made, workspace: Workspace, base: Path) -> Mapping[str, int] | None:
    """The number of each token of a model: none yet of one whose tokenizer is trained, None if not found."""
    # What is wrong with the model itself is told of the model.
    with suppress(TunesmithError):
        if not isinstance(choice, Made):
            folder = resolve(choice, workspace, base=base).folder
        elif borrowed.is_borrowed(choice):
            folder = Path(borrowed.located(choice, workspace, base).tokenizer)
        else:
            return {}
        found: Mapping[str, int] | None = tokenizer.load(folder).get_vocab() if folder else None
        return found
    return None
