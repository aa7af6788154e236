"""Encoded splits, kept by what their bytes depend on: another learning rate encodes nothing anew."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tunesmith import __version__
from tunesmith.core import cache, components
from tunesmith.models.contract import GenerationDefaults
from tunesmith.tasks import examples
from tunesmith.tasks.examples import Examples
from tunesmith.tasks.task import Learner
from tunesmith.workflow.parts import Parts
from tunesmith.workflow.plan import Plan

# Rows that are encoded at once: enough to keep all cores busy, few enough to be small beside a model.
_SLICE = 4096


def of(plan: Plan, parts: Parts, split: str, learner: Learner) -> Examples:
    """The examples of a split, from the cache or encoded now."""

    def write(folder: Path) -> None:
        largest = max(learner.tokenizer.get_vocab().values(), default=0)
        examples.write(folder, _encoded(plan, parts, split, learner), largest_id=largest)

    folder, _ = cache.folder(plan.workspace.cache, "tokens", _key(plan, split, learner), write)
    return Examples(folder)


def _encoded(plan: Plan, parts: Parts, split: str, learner: Learner) -> Iterator[examples.Encoded]:
    for rows in parts.split(split).iter_slices(_SLICE):
        yield plan.task.encode(rows, learner)


def _key(plan: Plan, split: str, learner: Learner) -> str:
    """What the examples depend on; a contract also says how answers are generated and how long they are."""
    usual = GenerationDefaults()
    contract = learner.contract and replace(learner.contract, generation=usual, context=0).digest
    return cache.key(
        version=__version__,
        tokenizers=plan.versions["tokenizers"],
        data=plan.data_key,
        split=split,
        task=plan.recipe.task,
        code=components.tasks.identity(plan.recipe.task),
        tokenizer=hashlib.sha256(learner.tokenizer.to_str().encode()).hexdigest(),
        contract=contract,
        context=learner.card.context,
        labels=learner.card.labels,
    )
