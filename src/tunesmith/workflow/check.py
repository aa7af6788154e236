"""Everything that can be known to be wrong before anything is computed, all at once."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from tunesmith.core import components, recipe_file
from tunesmith.core.errors import NotFoundError, Problem, RecipeError, TunesmithError
from tunesmith.core.recipe import Data, Made, Own, Recipe, Scratch
from tunesmith.core.recipe_file import Document
from tunesmith.core.registry import suggestion
from tunesmith.core.workspace import Workspace
from tunesmith.data.shapes import FIELDS
from tunesmith.data.sources import source_paths
from tunesmith.eval.choice import possible
from tunesmith.models import borrowed, card, endpoint, families
from tunesmith.models.resolve import resolve
from tunesmith.tasks.task import Task
from tunesmith.workflow import space, teacher_check
from tunesmith.workflow.feedback import versions
from tunesmith.workflow.settling import settled, task_of


def find(document: Document, workspace: Workspace) -> tuple[Recipe | None, list[Problem]]:
    """The recipe of a document, or None; and all problems of it and of its models.

    The parts of a wrong recipe that are right are looked at all the same, and so is its data: what is wrong
    is told at once. The data of a recipe without problems is left to the data stage (`parts.make`).
    """
    recipe, problems = recipe_file.validate(document)
    readable = recipe or _without(document, problems)
    if readable is not None:
        readable, missing = _with_feedback(document, readable, workspace)
        recipe, problems = recipe and readable, [*problems, *missing]
        task = task_of(readable.task, readable.data, document.path.absolute().parent)
        problems += _cheap_problems(document, readable, task, workspace)
        is_wrong = bool(problems) or not _sources_exist(document, readable)
        if is_wrong and not any(problem.code == "R12" for problem in problems):
            problems += _data_problems(document, task, readable)
    return recipe, problems


def _with_feedback(document: Document, recipe: Recipe, workspace: Workspace) -> tuple[Recipe, list[Problem]]:
    """The recipe with the newest version of the feedback that it names; what is wrong where there is none."""
    try:
        return versions.located(recipe, workspace), []
    except TunesmithError as error:
        found = error.problems[0]
        return recipe, [document.problem(found.code, ("data", "source"), **found.values)]


def ready(document: Document, recipe: Recipe, workspace: Workspace) -> None:
    """Hold a valid recipe to what its parts ask of each other and to what exists.

    Raises:
        RecipeError: all such problems, and those of the data if there are any.
        NotFoundError: when all that is wrong is files or models that do not exist.
    """
    task = task_of(recipe.task, recipe.data, document.path.absolute().parent)
    problems = _cheap_problems(document, recipe, task, workspace)
    if problems or not _sources_exist(document, recipe):
        stop_for([*problems, *_data_problems(document, task, recipe)])


def _sources_exist(document: Document, recipe: Recipe) -> bool:
    try:
        source_paths(recipe.data, document.path.absolute().parent)
    except TunesmithError:
        return False
    return True


def _cheap_problems(document: Document, recipe: Recipe, task: Task, workspace: Workspace) -> list[Problem]:
    return [
        *_unknown_fields(document, task, recipe.data),
        *_unread(document, task),
        *_model_problems(document, recipe, task, workspace),
        *_unprobed(document, recipe, workspace),
        *_method_problems(document, recipe),
        *_loss_problems(document, recipe, task),
        *_mixing_problems(document, recipe, task),
        *teacher_check.problems(document, recipe, task, workspace),
        *teacher_check.answering(document, recipe, task, workspace),
        *_selection_problems(document, recipe, task),
        *_eval_problems(document, recipe, task, workspace),
        *_slice_problems(document, task, recipe),
        *_search_problems(document, recipe, task),
    ]


def _unread(document: Document, task: Task) -> Iterator[Problem]:
    if "decoder" not in _kinds(task) and document.values.get("prompt"):
        yield document.problem("R18", ("prompt",), task=task.name, key="prompt")


def _without(document: Document, problems: list[Problem]) -> Recipe | None:
    """The recipe as if its wrong keys were not there, and its task the one that was probably meant."""
    values = copy.deepcopy(document.values)
    # From the end of lists to their beginning, so that the numbers of the items before stay right.
    for keys in sorted(((problem.field or "").split(".") for problem in problems), key=_number, reverse=True):
        _take_out(values, keys)
    if "task" not in values:
        [values["task"]] = get_close_matches(str(document.values.get("task")), components.tasks.names(), 1, 0)
    return recipe_file.validate(Document(path=document.path, values=values, lines={}))[0]


def _number(keys: list[str]) -> list[tuple[str, int]]:
    """What orders items of one list by their numbers."""
    return [("", int(key)) if key.isdigit() else (key, 0) for key in keys]


def _take_out(values: Any, keys: list[str]) -> None:
    """Remove a key, or an item of a list; what it is in goes when it is neither."""
    key, rest = keys[0], keys[1:]
    if isinstance(values, list) and key.isdigit() and int(key) < len(values):
        if rest and isinstance(values[int(key)], dict | list):
            _take_out(values[int(key)], rest)
        else:
            values.pop(int(key))
    elif isinstance(values, dict) and key in values:
        if rest and isinstance(values[key], dict | list):
            _take_out(values[key], rest)
        else:
            values.pop(key)


def stop_for(problems: list[Problem]) -> None:
    """Raise all problems as one error, if there are any.

    Raises:
        NotFoundError: when all that is wrong is files or models that do not exist.
        RecipeError: otherwise.
    """
    if problems:
        raise error_of(problems)


def error_of(problems: list[Problem]) -> TunesmithError:
    """All problems as one error; its class decides the exit code."""
    missing = all(problem.code in ("D01", "M01") for problem in problems)
    return (NotFoundError if missing else RecipeError).of(problems)


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
    given = recipe.data.source
    if len(recipe.model) > 1 and not recipe.data.split.validation and "validation" not in given:
        yield document.problem("R17", ("model",), count=len(recipe.model))
    for choice in recipe.model:
        if isinstance(choice, Made):
            for code, key, values in families.problems(choice):
                yield document.problem(code, ("model", key), **values)
        try:
            yield from _unfit(document, choice, task, workspace)
        except TunesmithError as error:
            found = error.problems[0]
            yield document.problem(found.code, ("model",), **found.values)


def _unprobed(document: Document, recipe: Recipe, workspace: Workspace) -> Iterator[Problem]:
    """A limit on what is forgotten, where no probe could show that anything is."""
    names = [name for name in recipe.model if isinstance(name, str)]
    for name in names if recipe.eval.limits.forgetting is not None else ():
        try:
            folder = resolve(name, workspace, base=document.path.absolute().parent).folder
            kind = card.read(folder).kind if folder else None
        except TunesmithError:
            continue  # `_model_problems` tells of it
        if kind == "encoder_decoder":
            yield document.problem("R24", ("eval", "limits", "forgetting"), model=name)


def _method_problems(document: Document, recipe: Recipe) -> Iterator[Problem]:
    """A model that is made here has nothing that could stay as it is."""
    method = recipe.train.method.name
    for choice in recipe.model if method != "full" else ():
        if isinstance(choice, Made):
            name = choice.code if isinstance(choice, Own) else choice.architecture
            yield document.problem("R15", ("train", "method"), model=name, method=method)


# The kinds of models that a task can use, where that is not decoders alone.
_KINDS = {
    "classify": ("encoder",),
    "tag": ("encoder",),
    "answer": ("encoder",),
    "embed": ("encoder",),
    "score": ("encoder",),
    "mask": ("encoder",),
    "translate": ("encoder_decoder", "decoder"),
    "summarise": ("encoder_decoder", "decoder"),
}


def _kinds(task: Task) -> tuple[str, ...]:
    return _KINDS.get(task.name, ("decoder",))


def _unfit(document: Document, choice: str | Made, task: Task, workspace: Workspace) -> Iterator[Problem]:
    """Why a model cannot do a task."""
    usable = _kinds(task)
    wanted = usable[0]
    if isinstance(choice, Made):
        borrowed.located(choice, workspace, document.path.absolute().parent)
    if isinstance(choice, Own):
        from tunesmith.models import own

        own.check(choice, document.path.absolute().parent)
        name, kind = choice.code, "encoder" if wanted == "encoder" else "decoder"
    elif isinstance(choice, Scratch):
        name = choice.architecture
        kind = families.FAMILIES[name].kind
    else:
        resolved = resolve(choice, workspace, base=document.path.absolute().parent)
        if resolved.hosted is not None:
            values = {"wanted": "train", "task": "ask, eval, eval.against"}
            yield document.problem("M14", ("model",), name=choice, **values)
            return
        folder = resolved.folder
        found = card.read(folder).kind if folder else "tfidf"
        name, kind = choice, "decoder" if found == "language" else found
    # The linear model knows one label for each text, and nothing else.
    linear = kind == "tfidf" and task.shape == "labelled"
    # The hidden states of a decoder can be classified too.
    others = ("encoder_decoder",) if linear else ("encoder_decoder", "tfidf")
    if kind not in usable and (wanted != "encoder" or kind in others):
        values = {"kind": kind, "wanted": ", ".join(usable)}
        yield document.problem("R13", ("model",), task=task.name, model=name, **values)
    elif kind == "encoder_decoder" and document.values.get("prompt"):
        yield document.problem("R18", ("prompt",), task=task.name, key="prompt")


def _loss_problems(document: Document, recipe: Recipe, task: Task) -> Iterator[Problem]:
    """A built-in loss that is made for other targets; one of the user's own is taken at its word."""
    loss = settled(recipe, task).train.loss.name
    if loss in components.losses.builtin and loss not in task.losses:
        known = suggestion(loss, list(task.losses))
        yield document.problem("T30", ("train", "loss"), task=task.name, loss=loss, **known)


def _mixing_problems(document: Document, recipe: Recipe, task: Task) -> Iterator[Problem]:
    """Only the rows of a classification have labels that can be mixed."""
    if recipe.train.mixup is not None and task.name != "classify":
        yield document.problem("A06", ("train", "mixup"), task=task.name)


def _selection_problems(document: Document, recipe: Recipe, task: Task) -> Iterator[Problem]:
    """What goes by a metric on the validation part: it must be there, and the metric be the task's."""
    train, given = recipe.train, recipe.data.source
    chooses = {
        "keep": train.keep == "best",
        "early_stopping": train.early_stopping is not None,
        "search": train.search is not None,
    }
    if not recipe.data.split.validation and "validation" not in given:
        for key in (key for key, chosen in chooses.items() if chosen):
            yield document.problem("R22", ("train", key), key=key)
    metric = train.metric
    if metric in components.metrics.builtin and metric is not None and metric not in possible(task):
        known = suggestion(metric, list(possible(task)))
        yield document.problem("R16", ("train", "metric"), task=task.name, metric=metric, **known)


def _search_problems(document: Document, recipe: Recipe, task: Task) -> list[Problem]:
    """What no trial could do: every corner of the space is held to what its recipe must be."""

    def also(recipe: Recipe) -> list[Problem]:
        return [*_method_problems(document, recipe), *_loss_problems(document, recipe, task)]

    return space.problems(document, recipe, also)


def _eval_problems(document: Document, recipe: Recipe, task: Task, workspace: Workspace) -> Iterator[Problem]:
    measured = sorted({*task.metrics, *recipe.eval.metrics})
    hosted = [endpoint.PREFIX + found.name for found in endpoint.every(workspace)]
    references = (*task.baselines, "production", *(hosted if task.shape == "labelled" else ()))
    for metric in recipe.eval.metrics:
        if metric in components.metrics.builtin and metric not in possible(task):
            known = suggestion(metric, list(possible(task)))
            yield document.problem("R16", ("eval", "metrics"), task=task.name, metric=metric, **known)
    publish, limits = recipe.publish, recipe.eval.limits.model_dump(exclude_none=True)
    if publish is not None and publish.alias == "production" and not (recipe.eval.gate or limits):
        yield document.problem("R23", ("publish", "alias"), name=publish.name)
    for metric, bound in recipe.eval.gate.items():
        at = ("eval", "gate", metric)
        if metric not in measured:
            yield document.problem("R11", at, metric=metric, **suggestion(metric, measured))
        for name in filter(None, (bound.not_worse_than, bound.better_than)):
            if name not in references:
                yield _unknown_reference(document, at, name, references)
    for name in recipe.eval.against:
        if name not in references:
            yield _unknown_reference(document, ("eval", "against"), name, references)


def _slice_problems(document: Document, task: Task, recipe: Recipe) -> Iterator[Problem]:
    """Columns by which rows are to be divided and that no file has: told now, and not after training."""
    from tunesmith.data import columns
    from tunesmith.workflow import slice_rules

    ruled = slice_rules.columns(recipe.eval.gate)
    if not recipe.eval.slices and not ruled:
        return
    known = columns.known(recipe.data, shape=task.shape, base=document.path.absolute().parent)
    for key, names in (("slices", recipe.eval.slices), ("gate", ruled)):
        for name in names:
            if known and name not in known:
                yield document.problem("C30", ("eval", key), name=name, **suggestion(name, known))


def _unknown_reference(
    document: Document, at: tuple[str, ...], name: str, references: Sequence[str]
) -> Problem:
    known = suggestion(name, list(references))
    return document.problem("R06", at, noun="baseline", name=name, **known)
