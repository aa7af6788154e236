"""Everything that can be known to be wrong before anything is computed, all at once."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunesmith.core import components, recipe_file
from tunesmith.core.errors import NotFoundError, Problem, RecipeError, TunesmithError
from tunesmith.core.recipe import Data, Recipe, Scratch
from tunesmith.core.recipe_file import Document
from tunesmith.core.registry import suggestion
from tunesmith.core.workspace import Workspace
from tunesmith.data.shapes import FIELDS
from tunesmith.eval.baselines import BASELINES
from tunesmith.models import card
from tunesmith.models.resolve import resolve
from tunesmith.tasks.task import Task

if TYPE_CHECKING:
    from tunesmith.workflow.plan import Plan

_REFERENCES = (*sorted(BASELINES), "production")


def find(document: Document, workspace: Workspace) -> tuple[Recipe | None, list[Problem]]:
    """The recipe of a document, or None; and all problems of it, of its data and of its models.

    The parts of a wrong recipe that are right are looked at all the same.
    """
    recipe, problems = recipe_file.validate(document)
    readable = recipe or _without(document, problems)
    if readable is not None:
        task: Task = components.tasks.get(readable.task)()
        problems += _unknown_fields(document, task, readable.data) or _data_problems(document, task, readable)
        problems += _model_problems(document, readable, task, workspace)
        problems += _eval_problems(document, readable, task)
    return recipe, problems


def _without(document: Document, problems: list[Problem]) -> Recipe | None:
    """The recipe as if its wrong keys were not there, and its task the one that was probably meant."""
    values = copy.deepcopy(document.values)
    for problem in problems:
        *above, key = (problem.field or "").split(".")
        inner: object = values
        for part in above:
            inner = inner.get(part) if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            inner.pop(key, None)
    if "task" not in values:
        values["task"] = suggestion(str(document.values.get("task")), components.tasks.names())["close"]
    return recipe_file.validate(Document(path=document.path, values=values, lines={}))[0]


def ready(plan: Plan) -> None:
    """Hold a valid recipe to what its parts ask of each other.

    Raises:
        RecipeError: all such problems, and those of the data if there are any.
    """
    exists = plan.file.is_file()
    document = recipe_file.parse(plan.file) if exists else Document(path=plan.file, values={}, lines={})
    problems = [
        *_unknown_fields(document, plan.task, plan.recipe.data),
        *_model_problems(document, plan.recipe, plan.task, plan.workspace),
        *_eval_problems(document, plan.recipe, plan.task),
    ]
    if problems:
        raise RecipeError.of([*problems, *_data_problems(document, plan.task, plan.recipe)])


def stop_for(problems: list[Problem]) -> None:
    """Raise all problems as one error, if there are any.

    Raises:
        NotFoundError: when all that is wrong is files or models that do not exist.
        RecipeError: otherwise.
    """
    if problems:
        missing = all(problem.code in ("D01", "M01") for problem in problems)
        raise (NotFoundError if missing else RecipeError).of(problems)


def _unknown_fields(document: Document, task: Task, data: Data) -> list[Problem]:
    known = FIELDS[task.shape]
    return [
        document.problem(
            "R12", ("data", "fields", key), task=task.name, key=key, **suggestion(key, list(known))
        )
        for key in data.fields
        if key not in known
    ]


def _data_problems(document: Document, task: Task, recipe: Recipe) -> list[Problem]:
    from tunesmith.data.prepare import inspect

    return inspect(recipe.data, shape=task.shape, base=document.path.absolute().parent, seed=recipe.seed)


def _model_problems(
    document: Document, recipe: Recipe, task: Task, workspace: Workspace
) -> Iterator[Problem]:
    for choice in recipe.model:
        try:
            yield from _unfit(document, choice, task, workspace)
        except TunesmithError as error:
            found = error.problems[0]
            yield document.problem(found.code, ("model",), **found.values)


def _unfit(document: Document, choice: str | Scratch, task: Task, workspace: Workspace) -> Iterator[Problem]:
    """Why a model cannot do a task."""
    wanted = "encoder" if task.shape == "labelled" else "decoder"
    if isinstance(choice, Scratch):
        name: str = choice.architecture
        kind = "encoder" if name == "bert" else "decoder"
        if choice.hidden % (2 * choice.heads):
            at = ("model", "heads")
            yield document.problem("M15", at, hidden=choice.hidden, heads=choice.heads)
    else:
        folder = resolve(choice, workspace, base=document.path.absolute().parent).folder
        found = card.read(folder).kind if folder else "tfidf"
        name, kind = choice, "decoder" if found == "language" else found
    if wanted == "decoder" and kind != wanted:
        yield document.problem("R13", ("model",), task=task.name, model=name, kind=kind, wanted=wanted)


def _eval_problems(document: Document, recipe: Recipe, task: Task) -> Iterator[Problem]:
    measured = sorted({*task.metrics, *recipe.eval.metrics})
    for metric, bound in recipe.eval.gate.items():
        at = ("eval", "gate", metric)
        if metric not in measured:
            yield document.problem("R11", at, metric=metric, **suggestion(metric, measured))
        if bound.not_worse_than and bound.not_worse_than not in _REFERENCES:
            yield _unknown_reference(document, at, bound.not_worse_than)
    for name in recipe.eval.against:
        if name not in _REFERENCES:
            yield _unknown_reference(document, ("eval", "against"), name)


def _unknown_reference(document: Document, at: tuple[str, ...], name: str) -> Problem:
    known = suggestion(name, list(_REFERENCES))
    return document.problem("R06", at, noun="baseline", name=name, **known)
