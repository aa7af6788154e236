"""What a judge said, what that is worth, and what it cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.cli.eval_verb import write_page
from tunesmith.cli.output import Output
from tunesmith.cli.run_verb import show_differences
from tunesmith.cli.suite_views import score_rows
from tunesmith.core.errors import GateError

if TYPE_CHECKING:
    from tunesmith.eval.report import Report

_LINE_SECONDS = 10.0


def progress(output: Output) -> Callable[[int, int], None]:
    """A line now and then: how many of how many are judged."""
    last = time.monotonic()

    def told(done: int, of: int) -> None:
        nonlocal last
        if time.monotonic() - last > _LINE_SECONDS:
            last = time.monotonic()
            output.hint(output.say("judged", done=done, of=of))

    return told


def show(report: Report, page: Path | None, output: Output) -> int:
    """Figures, the judge's agreement with people, and its cost.

    Raises:
        GateError: C54 when the judge agrees with people less than was asked for, or was never measured.
    """
    output.data(report.as_dict())
    columns = [output.say(f"suite_{name}") for name in ("figure", "value", "interval")]
    output.table(columns, [row[:3] for row in score_rows(report)])
    if report.differences:
        show_differences(asdict(report), output)
    _show_judge(report, output)
    write_page(report, page, output)
    for check in report.gate.checks:
        if not check.passed:
            raise GateError("C54", kappa=f"{check.value:.2f}", least=f"{check.bound:.2f}")
    return 0


def _show_judge(report: Report, output: Output) -> None:
    if (judge := report.judge) is None:
        return
    if found := judge.agreement:
        values = {name: f"{value:.2f}" for name, value in asdict(found).items() if name != "ratings"}
        output.line(output.say("judge_agrees", name=judge.name, ratings=found.ratings, **values))
    else:
        output.line(output.say("judge_unmeasured", name=judge.name))
    cost = {"requests": f"{judge.requests:,}", "kept": f"{judge.kept:,}", "tokens": f"{judge.tokens:,}"}
    output.line(output.say("judge_cost", **cost))
