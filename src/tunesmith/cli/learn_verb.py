"""tunesmith learn RECIPE: what people said of answers becomes rows; the next candidate learns them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tunesmith.cli.output import Output
from tunesmith.cli.parser import number
from tunesmith.core import text


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """The recipe, reviewing, and what happens with a candidate that passes."""
    parser.add_argument("recipe", type=Path, help=text.say("cli.argument_recipe", lang))
    for name, settings in (
        ("out", {"type": Path, "metavar": "FILE"}),
        ("review", {"type": Path, "metavar": "FILE"}),
        ("only-reviewed", {"action": "store_true"}),
        ("at-least", {"type": number(int, 1, 1_000_000), "default": 1, "metavar": "N"}),
        ("promote", {"action": "store_true"}),
    ):
        said = text.say(f"cli.option_learn_{name.replace('-', '_')}", lang)
        parser.add_argument(f"--{name}", help=said, **settings)


def run(given: argparse.Namespace, output: Output) -> int:
    """Write rows for review; or learn from them."""
    from tunesmith.core import recipe_file
    from tunesmith.workflow.feedback import learning

    if given.promote:
        learning.require_comparison(recipe_file.load(given.recipe), output.workspace)
    if given.out is not None:
        rows = learning.offer(given.recipe, output.workspace, given.out)
        output.data({"out": str(given.out), "rows": rows})
        output.line(output.say("learn_offered", rows=rows, file=given.out))
        return 0
    found = learning.collect(
        given.recipe, output.workspace, review=given.review, only_reviewed=given.only_reviewed
    )
    told = found.as_dict()
    _show(told, output)
    if found.version.new < given.at_least:
        output.data({"feedback": told, "status": "waiting"})
        output.line(output.say("learn_waiting", new=found.version.new, least=given.at_least))
        return 0
    return _train(given, told, output)


def _train(given: argparse.Namespace, told: dict[str, Any], output: Output) -> int:
    from tunesmith.cli.run_verb import carry_out
    from tunesmith.workflow import plan as planning
    from tunesmith.workflow.feedback import learning

    plan = planning.make(given.recipe, output.workspace)
    try:
        code = carry_out(lambda: plan, output, beside={"feedback": told})
    finally:
        # A candidate that did not pass its gate has learned too, and would come out the same again.
        result = plan.run.result()
        if result is not None:
            learning.note_learned(output.workspace, told["name"], told["version"])
    if given.promote and result is not None and result["release"]:
        moved = learning.promote(result["release"], output.workspace)
        output.hint(output.say("learn_promoted", release=moved.release.label, alias=moved.alias))
    return code


def _show(told: dict[str, Any], output: Output) -> None:
    output.hint(output.say("learn_version", **told))
    for reason, count in told["left_out"].items():
        output.hint(f"  {output.say(f'learn_{reason}')}: {count:,}")
