"""The model that a loss compares with: put beside the learner, or asked once before training.

Of language models the logits of every token count, which are too many to keep: the teacher is in memory. Of
classifiers it is a probability for each label, computed once from the texts, whatever tokens it is made of.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib import format as npy

from tunesmith.core import cache
from tunesmith.core.errors import ModelError
from tunesmith.tasks.task import Learner

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunesmith.tasks.examples import Examples
    from tunesmith.workflow.parts import Parts
    from tunesmith.workflow.plan import Plan

_FILE = "taught.npy"
# What a probability of 0 is taken for, so that its logarithm exists.
_LEAST = 1e-9


def beside(plan: Plan, learner: Learner) -> Learner:
    """The learner of a language task with its teacher, which computes in the learner's precision."""
    if plan.teacher is None or plan.teacher.folder is None or learner.card.kind != "language":
        return learner
    from tunesmith.models import loading
    from tunesmith.train import backbones, precision

    module = loading.language_module(plan.teacher.folder)
    computed = precision.resolve(plan.recipe.train.precision, learner.backbone)
    ids = learner.tokenizer.encode("The same in all: 1, 2, 3 — 一样。").ids
    return replace(learner, teacher=backbones.frozen(module, computed, np.asarray(ids, dtype=np.int32)))


def answered(plan: Plan, parts: Parts, split: str, learner: Learner, examples: Examples) -> Examples:
    """Examples of a classification with the logits of its teacher; they are asked for once and kept.

    Raises:
        ModelError: T13 when the teacher does not know a label of the data.
    """
    if plan.teacher is None or learner.card.kind != "classifier" or split != "train":
        return examples

    def write(folder: Path) -> None:
        np.save(folder / _FILE, _logits(plan, parts, split, learner), allow_pickle=False)

    asked = cache.key(
        data=plan.data_key, split=split, teacher=plan.teacher_identity, labels=learner.card.labels,
        threads=plan.threads, versions=plan.versions,
    )  # fmt: skip
    folder, _ = cache.folder(plan.workspace.cache, "taught", asked, write)
    return examples.referring(np.asarray(npy.open_memmap(folder / _FILE, mode="r")))


def _logits(plan: Plan, parts: Parts, split: str, learner: Learner) -> NDArray[np.float32]:
    """What the teacher says of every row, in the learner's order of labels: [rows, labels]."""
    from tunesmith.models import loading

    teacher = loading.load(plan.teacher)  # type: ignore[arg-type]
    places = {label: i for i, label in enumerate(teacher.labels)}  # type: ignore[union-attr]
    if missing := [label for label in learner.card.labels if label not in places]:
        raise ModelError("T13", name=teacher.name, count=len(missing), labels=", ".join(missing[:8]))
    found = teacher.predict(parts.split(split)["text"].to_list())  # type: ignore[union-attr]
    chosen = found[:, [places[label] for label in learner.card.labels]]
    return np.log(np.maximum(chosen, _LEAST)).astype(np.float32)
