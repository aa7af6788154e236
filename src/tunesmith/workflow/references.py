"""What the starting model says of every pair, computed once, before training, and kept.

Training and evaluation need the model only as it was at the start, never two models at once.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from tunesmith.core import cache, components
from tunesmith.tasks.examples import Examples
from tunesmith.tasks.pairs import asks_drift
from tunesmith.tasks.task import Learner, Referring
from tunesmith.workflow import tokens
from tunesmith.workflow.parts import Parts
from tunesmith.workflow.plan import Candidate, Plan

_FILE = "reference.npy"


def of(
    plan: Plan,
    candidate: Candidate,
    parts: Parts,
    split: str,
    start: Callable[[], Learner],
    examples: Examples,
) -> Examples:
    """Examples of a split, for tasks that refer to the starting model with what that says of each.

    `start` gives the candidate as it was before training, and is called where it was never asked.
    """
    task = plan.task
    if not isinstance(task, Referring):
        return examples

    drift = split == "train" and asks_drift(components.losses.get(plan.recipe.train.loss.name))

    def write(folder: Path) -> None:
        learner = start()
        found = task.reference(learner, _own(tokens.of(plan, parts, split, learner), drift), drift=drift)
        np.save(folder / _FILE, found, allow_pickle=False)

    folder, _ = cache.folder(plan.workspace.cache, "reference", _key(plan, candidate, split, drift), write)
    return _own(examples.referring(np.asarray(npy.open_memmap(folder / _FILE, mode="r"))), drift)


def _own(examples: Examples, drift: bool) -> Examples:
    return examples.with_others() if drift else examples


def _key(plan: Plan, candidate: Candidate, split: str, drift: bool) -> str:
    """What the answers of the starting model depend on.

    The method is among it: a tuned prompt or a base in fewer bits says something else from the start. A
    search over settings of a method asks once for each of them.
    """
    method = plan.recipe.train.method
    return cache.key(
        data=plan.data_key,
        split=split,
        drift=drift,
        task=plan.recipe.task,
        code=components.tasks.identity(plan.recipe.task),
        model=candidate.identity,
        method=[method.name, method.settings, components.methods.identity(method.name)],
        prompt={**plan.recipe.prompt.model_dump(mode="json"), "template": plan.template},
        max_length=plan.recipe.data.max_length,
        seed=plan.recipe.seed,
        threads=plan.threads,
        versions=plan.versions,
    )
