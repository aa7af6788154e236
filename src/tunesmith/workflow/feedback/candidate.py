"""The recipe by which a model learns from use where nobody names one: its release's, with the feedback."""

from __future__ import annotations

from pathlib import Path

from tunesmith.core import recipe_file, runs
from tunesmith.core.errors import NotFoundError
from tunesmith.core.recipe import Bound, Data, Entry, Eval, Publish, Recipe, SplitName
from tunesmith.core.store import Store
from tunesmith.core.workspace import Workspace
from tunesmith.tasks.task import Task
from tunesmith.workflow.feedback.versions import PREFIX, folder_of
from tunesmith.workflow.promotion import PRODUCTION
from tunesmith.workflow.settling import task_of


def recipe_of(store: Store, workspace: Workspace, name: str) -> Recipe:
    """The recipe of the release in production, else of the newest, with the feedback beside its rows.

    A gate that the release had stays; the candidate may not be worse than production in any case.

    Raises:
        NotFoundError: C07 when there is no such release, A08 when no run of this workspace made it.
    """
    release = store.release(name)
    run = release.lineage.get("run")
    file = None if run is None else runs.RunFolder(workspace.runs / str(run)).recipe
    if file is None or not file.is_file():
        raise NotFoundError("A08", name=release.label)
    recipe = recipe_file.load(file)
    task = task_of(recipe.task, recipe.data, file.parent)
    changes = {
        "lock": None, "publish": Publish(name=name), "eval": _gated(recipe.eval, task),
        "data": _with_feedback(recipe.data, workspace, name),
    }  # fmt: skip
    return recipe.model_copy(update=changes)


def _gated(section: Eval, task: Task) -> Eval:
    named = {name for bound in section.gate.values() for name in (bound.not_worse_than, bound.better_than)}
    if PRODUCTION in named:
        return section
    metric = next(iter(section.gate), section.metrics[0] if section.metrics else task.metrics[0])
    bound = section.gate.get(metric, Bound()).model_copy(update={"not_worse_than": PRODUCTION})
    return section.model_copy(update={"gate": {**section.gate, metric: bound}})


def _with_feedback(data: Data, workspace: Workspace, name: str) -> Data:
    """The rows, with the newest version of the feedback where the release had an older one, or none."""
    place = folder_of(workspace, name).absolute()
    source = {
        split: [entry for entry in entries if Path(entry.path).parent != place]
        for split, entries in data.source.items()
    }
    learned: SplitName = "train" if "train" in source else "all"
    feedback = Entry(path=f"{PREFIX}{name}", weight=_weight(data, place))
    return data.model_copy(update={"source": {**source, learned: [*source[learned], feedback]}})


def _weight(data: Data, place: Path) -> float:
    """How much feedback counted before."""
    entries = (entry for entries in data.source.values() for entry in entries)
    return next((entry.weight for entry in entries if Path(entry.path).parent == place), 1.0)
