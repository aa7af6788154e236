"""tunesmith check RECIPE: every mistake, what becomes of the rows, what is learned, what it will cost."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.cli import layout, learned_view
from tunesmith.cli.output import Output, show_problems
from tunesmith.cli.run_verb import show_ledger
from tunesmith.core import text
from tunesmith.core.errors import MemoryShortError, TunesmithError

if TYPE_CHECKING:
    from tunesmith.core.errors import Problem
    from tunesmith.workflow.parts import Parts
    from tunesmith.workflow.plan import Plan


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """The recipe, and keys to override."""
    parser.add_argument("recipe", type=Path, help=text.say("cli.argument_recipe", lang))
    parser.add_argument(
        "--set", action="append", default=[], metavar="a.b=c", dest="overrides",
        help=text.say("cli.option_set", lang),
    )  # fmt: skip


def run(given: argparse.Namespace, output: Output) -> int:
    """Find all mistakes; without any, prepare the data and measure a few batches. Nothing is kept trained."""
    from tunesmith.core import recipe_file
    from tunesmith.core.memory import keep_freed_memory
    from tunesmith.workflow import answers, check, parts
    from tunesmith.workflow.plan import Plan

    keep_freed_memory()
    document = recipe_file.parse(given.recipe, given.overrides)
    recipe, problems = check.find(document, output.workspace)
    if recipe is None or problems:
        return _bad(problems, output)
    plan = Plan(answers.unasked(recipe), given.recipe, output.workspace)
    try:
        data = parts.make(plan)
    except TunesmithError as error:
        return _bad(list(error.problems), output)
    try:
        return _good(plan, data, output)
    except MemoryShortError as error:
        _bad(list(error.problems), output)
        return error.exit_code


def _bad(problems: list[Problem], output: Output) -> int:
    from tunesmith.workflow import check

    said = [problem.as_dict(output.lang) for problem in problems]
    output.data({"ok": False, "problems": said, "plan": None, "ledger": None})
    show_problems(problems, output.lang)
    return check.error_of(problems).exit_code


def _good(plan: Plan, data: Parts, output: Output) -> int:
    from tunesmith.workflow import costing

    output.hint(output.say("check_measuring"))
    cost, ledger = costing.of(plan, data)
    output.data({"ok": True, "problems": [], "plan": cost, "ledger": ledger})
    _show(output, data.sources, ledger, cost)
    return 0


def _show(
    output: Output, sources: list[dict[str, Any]], ledger: dict[str, Any], cost: dict[str, Any]
) -> None:
    for source in sources:
        mapping = ", ".join(f"{field} ← {column}" for field, column in source["mapping"].items())
        read = [source["format"], source["encoding"], repr(source["delimiter"] or "")]
        output.line(f"{source['path']}: {' '.join(r for r in read if r and r != repr(''))}; {mapping}")
    show_ledger(ledger, output)
    learned_view.show(cost["examples"], output)
    said = output.say(
        "check_cost", steps=f"{cost['steps']:,}", tokens=f"{cost['tokens']:,}",
        minutes=f"{cost['seconds'] / 60:.1f}", memory=_megabytes(cost["peak_memory_bytes"]),
        free=_megabytes(cost["memory_available_bytes"]),
    )  # fmt: skip
    for line in layout.wrap(said, 80):
        output.line(line)
    if cost["trials"] > 1:
        output.line(output.say("check_trials", trials=cost["trials"]))
    if cost["comparisons"]:
        output.line(output.say("check_comparisons", count=cost["comparisons"]))
    if cost["checkpointing"]:
        output.line(output.say("check_again"))
    output.line(output.say("check_good"))


def _megabytes(count: int | None) -> str:
    return "?" if count is None else f"{count / 1e6:,.0f}"
