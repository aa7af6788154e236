"""Whether the model that a loss is to compare with can teach the models of a recipe; nothing is computed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tunesmith.core.errors import Problem, TunesmithError
from tunesmith.core.recipe import Made, Recipe
from tunesmith.core.recipe_file import Document
from tunesmith.core.workspace import Workspace
from tunesmith.models import card, tokenizer
from tunesmith.models.resolve import Resolved, resolve
from tunesmith.tasks.task import Task

_AT = ("train", "loss", "teacher")


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
        yield from _unfit(document, teacher, recipe, task)
        if task.name != "classify" and teacher.folder is not None:
            yield from _other_tokens(document, teacher.folder, recipe, workspace)
    except TunesmithError as error:
        found = error.problems[0]
        yield document.problem(found.code, _AT, **found.values)


def _unfit(document: Document, teacher: Resolved, recipe: Recipe, task: Task) -> Iterator[Problem]:
    if teacher.hosted is not None:
        yield document.problem("T10", _AT, name=teacher.name)
        return
    found = card.read(teacher.folder) if teacher.folder else None
    wanted = ("classifier", "tfidf") if task.name == "classify" else ("language",)
    if found is None or found.kind not in wanted or found.several:
        values = {"kind": found.kind if found else "-", "wanted": ", ".join(wanted)}
        yield document.problem("T11", _AT, name=teacher.name, task=task.name, **values)


def _other_tokens(
    document: Document, teacher: Path, recipe: Recipe, workspace: Workspace
) -> Iterator[Problem]:
    """A problem for each model of the recipe that has not the teacher's tokens."""
    known = tokenizer.load(teacher).get_vocab()
    for choice in recipe.model:
        if isinstance(choice, Made):
            name, own = getattr(choice, "architecture", "own"), {}
        else:
            folder = resolve(choice, workspace, base=document.path.absolute().parent).folder
            name, own = choice, tokenizer.load(folder).get_vocab() if folder else known
        if own != known:
            values = {"tokens": len(known), "same": len(known.items() & own.items())}
            yield document.problem("T12", _AT, name=teacher.name, model=name, **values)
