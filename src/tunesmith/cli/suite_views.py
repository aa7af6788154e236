"""Benchmarks as a table: a line for each task, with the interval of its figure and what guessing reaches."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.cli.eval_verb import write_page
from tunesmith.cli.output import Output
from tunesmith.cli.run_verb import show_ledger

if TYPE_CHECKING:
    from tunesmith.eval.report import Report

HARNESS = "harness:"


def run_suite(given: argparse.Namespace, output: Output) -> int:
    """Put the tasks of a suite to the model, and show what came of it."""
    from tunesmith.workflow.evaluate import write_report
    from tunesmith.workflow.suites import Options, measure

    def told(task: str, rows: int) -> None:
        output.hint(output.say("suite_task", task=task, rows=f"{rows:,}"))

    if given.run_code:
        output.hint(output.say("suite_code"))
    options = Options(
        folder=given.data, shots=given.shots, limit=given.limit, chat=given.chat, run_code=given.run_code
    )
    if given.suite.startswith(HARNESS):
        from tunesmith.workflow import harness

        report = harness.measure(given.model, given.suite.removeprefix(HARNESS), output.workspace, options)
        write: Callable[[Path, str], None] = partial(write_report, report)
    else:
        found = measure(given.model, given.suite, output.workspace, options, told)
        report, write = found.report, found.write
    _show(report, output)
    if given.output is not None:
        write(given.output, output.lang)
        output.line(output.say("written", file=given.output))
    write_page(report, given.html, output)
    return 0


def _show(report: Report, output: Output) -> None:
    output.data(report.as_dict())
    columns = [output.say(f"suite_{name}") for name in ("figure", "value", "interval", "chance")]
    output.table(columns, list(score_rows(report)))
    show_ledger(dict(report.ledger), output)
    output.line(output.say("eval_done", rows=f"{report.rows:,}", seconds=f"{report.seconds:.1f}"))


def score_rows(report: Report) -> Iterator[list[str]]:
    """A line for each figure: name, value, interval, what guessing reaches."""
    chance = report.baselines.get("chance", {})
    for name, value in report.scores.items():
        found = report.intervals.get(name)
        interval = f"{found.low:.4f} – {found.high:.4f}" if found else ""
        yield [name, f"{value:.4f}", interval, f"{chance[name]:.4f}" if name in chance else "-"]
