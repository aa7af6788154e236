"""Runs as jobs: a recipe, a run that is continued, the built-in sample."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.core import durable
from tunesmith.core.errors import NotFoundError, StoppedError
from tunesmith.core.events import Event, StageStarted, Step, Stopped
from tunesmith.studio.jobs.context import Context

if TYPE_CHECKING:
    from tunesmith.workflow.plan import Plan

_RESULT = ("run", "path", "status", "release", "scores", "gate", "seconds")


def run(wishes: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Carry out a recipe."""
    path = context.folder / f"{wishes['name']}.yaml"
    durable.write_bytes(path, wishes["recipe"].encode())
    return _carry_out_file(path, context)


def resume(wishes: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Go on with a run."""
    from tunesmith.core import runs
    from tunesmith.workflow import plan

    found = runs.find(context.workspace.runs, wishes["run"])
    return _carry_out(plan.resume(found, context.workspace), context)


def sample(wishes: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Write the built-in sample beside the data sets and train on it."""
    from tunesmith.workflow import demo

    lang = wishes["language"]
    folder = context.workspace.root / "sample"
    demo.write(folder, lang)
    return _carry_out_file(folder / f"classify.{lang}.yaml", context)


def learn(wishes: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Make a version of a model's feedback, train the next candidate with it, and promote it if asked to."""
    from contextlib import closing

    from tunesmith.core import recipe_file
    from tunesmith.core.store import Store
    from tunesmith.workflow.feedback import candidate, learning

    name, path = wishes["name"], context.folder / f"{wishes['name']}.yaml"
    made = learning.of_model(name, context.workspace, only_reviewed=wishes["only_reviewed"])
    if not made.version.rows:
        raise NotFoundError("A09" if wishes["only_reviewed"] else "A07", name=name)
    with closing(Store(context.workspace.database)) as store:
        recipe_file.write(candidate.recipe_of(store, context.workspace, name), path)
    result = _carry_out_file(path, context)
    learning.note_learned(context.workspace, name, made.version.number)
    if wishes["promote"] and result["release"]:
        learning.promote(result["release"], context.workspace)
    return {**result, "feedback": made.as_dict()}


def check(wishes: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Find out what a recipe costs."""
    from tunesmith.workflow import costing

    path = context.folder / f"{wishes['name']}.yaml"
    durable.write_bytes(path, wishes["recipe"].encode())
    return costing.of_file(path, context.workspace)


def _carry_out_file(path: Path, context: Context) -> dict[str, Any]:
    from tunesmith.workflow import plan

    return _carry_out(plan.make(path, context.workspace), context)


def _carry_out(plan: Plan, context: Context) -> dict[str, Any]:
    """Carry out a plan, telling how far it is; stopped with a checkpoint when that is asked."""
    from tunesmith.core.memory import keep_freed_memory
    from tunesmith.workflow import run as running

    keep_freed_memory()
    context.asks_to_stop = True
    context.subject = plan.run.id
    for event in running.events(plan, stop=context.stop, lang=context.lang):
        _note(event, context)
        if isinstance(event, Stopped):
            raise StoppedError("C12", run=plan.run.id, step=event.step)
    result = running.finished(plan)
    return {name: result.get(name) for name in _RESULT}


def _note(event: Event, context: Context) -> None:
    """Keep how far training is, and say in the log what begins."""
    match event:
        case Step():
            context.progress = event.step / max(1, event.steps)
        case StageStarted():
            words = f"{time.strftime('%H:%M:%S')} {event.stage} {event.detail}".rstrip()
            sys.stdout.write(words + "\n")
            sys.stdout.flush()
        case _:
            pass
