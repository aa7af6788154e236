"""tunesmith judge: answers judged by a model, or blindly by people, and how far the two agree."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.cli.output import Output
from tunesmith.cli.parser import Actions, carry_out, number
from tunesmith.core import text

if TYPE_CHECKING:
    from tunesmith.workflow.judges.sitting import Wishes


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """compare, score, agree, ab."""
    actions = Actions(parser, lang)
    for name, about in (
        ("compare", ("one_model", "other_model")), ("score", ("model",)), ("agree", ("ratings",)),
    ):  # fmt: skip
        action = actions.add(name, *about)
        _asked(action, lang, data=name != "agree")
        action.add_argument(
            "--judge", metavar="MODEL", required=True, help=text.say("cli.option_judge", lang)
        )
        action.add_argument("--rubric", type=Path, metavar="FILE", help=text.say("cli.option_rubric", lang))
        action.add_argument(
            "--min-kappa", type=number(float, -1, 1), metavar="K", help=text.say("cli.option_min_kappa", lang)
        )
        action.add_argument("--html", type=Path, metavar="FILE", help=text.say("cli.option_html", lang))
    blind = actions.add("ab", "one_model", "other_model")
    _asked(blind, lang, data=True)
    blind.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        default=Path("ratings.jsonl"),
        help=text.say("cli.option_ratings", lang),
    )
    blind.add_argument(
        "--seed", type=number(int, 0, 2**32), metavar="N", default=0, help=text.say("cli.option_order", lang)
    )


def _asked(action: argparse.ArgumentParser, lang: str, *, data: bool) -> None:
    if data:
        action.add_argument(
            "--data", type=Path, metavar="FILE", required=True, help=text.say("cli.option_questions", lang)
        )
        say = text.say("cli.option_limit_questions", lang)
        action.add_argument("--limit", type=number(int, 1, 1_000_000), metavar="N", help=say)
    else:
        action.set_defaults(limit=None)


def run(given: argparse.Namespace, output: Output) -> int:
    """Carry out the action."""
    actions = {"compare": _compare, "score": _score, "agree": _agree, "ab": _ab}
    return carry_out(actions, given, output)


def _wishes(given: argparse.Namespace) -> Wishes:
    from tunesmith.workflow.judges.sitting import Wishes

    return Wishes(judge=given.judge, rubric=given.rubric, limit=given.limit, min_kappa=given.min_kappa)


def _compare(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.cli import judge_views
    from tunesmith.workflow.judges.comparing import compare

    told = judge_views.progress(output)
    report = compare(given.one_model, given.other_model, given.data, output.workspace, _wishes(given), told)
    return judge_views.show(report, given.html, output)


def _score(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.cli import judge_views
    from tunesmith.workflow.judges.scoring import score

    report = score(given.model, given.data, output.workspace, _wishes(given), judge_views.progress(output))
    return judge_views.show(report, given.html, output)


def _agree(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.cli import judge_views
    from tunesmith.workflow.judges.agreeing import agree

    report = agree(Path(given.ratings), output.workspace, _wishes(given), judge_views.progress(output))
    return judge_views.show(report, given.html, output)


def _ab(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.cli.blind_view import run_blind

    return run_blind(given, output)
