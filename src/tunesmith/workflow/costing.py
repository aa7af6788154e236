"""What a recipe will cost: its data prepared, a few batches of each model tried, nothing kept trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunesmith.core import recipe_file
from tunesmith.core.memory import available_memory_bytes, peak_memory_bytes
from tunesmith.core.spent import Laps, Spent
from tunesmith.core.workspace import Workspace
from tunesmith.workflow import ablating, answers, check, estimate, parts, training
from tunesmith.workflow.parts import Parts
from tunesmith.workflow.plan import Plan


def of_file(path: Path, workspace: Workspace) -> dict[str, Any]:
    """What a recipe's file costs, and what becomes of its rows.

    Raises:
        RecipeError, DataError, NotFoundError: all that is wrong with it.
        MemoryShortError: when it does not fit.
    """
    recipe, problems = check.find(recipe_file.parse(path), workspace)
    check.stop_for(problems)
    if recipe is None:
        raise check.error_of(problems)
    plan = Plan(answers.unasked(recipe), path, workspace)
    data = parts.make(plan)
    cost, ledger = of(plan, data)
    return {"plan": cost, "ledger": ledger}


def of(plan: Plan, data: Parts) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a plan over prepared data costs, and the account of its rows.

    Raises:
        MemoryShortError: when it does not fit.
    """
    laps = Laps()
    # A run begins by reading what was prepared here.
    parts.make(plan)
    spent = laps.lap()
    found = [estimate.estimate(plan, candidate, data) for candidate in plan.candidates]
    judging = max((one.judging for one in found), key=lambda spent: spent.seconds)
    search = plan.recipe.train.search
    trials = search.trials if search else 1
    # Of several models the first is reckoned to be the one that is compared with itself without new rows.
    compared = max(0, 2 * ablating.seeds_of(plan) - 1)
    spent += sum((one.training for one in found), Spent()) * trials + found[0].training * compared + judging
    counted = data.ledger.drop(found[0].empty, "nothing_to_learn").truncate(found[0].truncated)
    cost = {
        "peak_memory_bytes": peak_memory_bytes() + max(one.later for one in found),
        "memory_available_bytes": available_memory_bytes(),
        "seconds": round(spent.seconds, 1),
        "cpu_seconds": round(spent.cpu, 1),
        "steps": trials * sum(one.steps for one in found) + compared * found[0].steps,
        "tokens": trials * sum(one.tokens for one in found) + compared * found[0].tokens,
        "trials": trials,
        "comparisons": compared,
        "micro_batch_tokens": found[0].micro_batch_tokens,
        "checkpointing": found[0].checkpointing,
        "examples": [
            {"place": training.place(data.ledger.frame, shown.row), **shown.as_dict()}
            for shown in found[0].shown
        ],
    }
    return cost, counted.summary()
