"""tunesmith eval MODEL: a report for any model on any file of rows (--data), or on benchmarks (--suite)."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.cli.output import Output
from tunesmith.cli.parser import number
from tunesmith.cli.run_verb import show_diagnosis, show_differences, show_ledger
from tunesmith.core import text
from tunesmith.core.errors import UsageError

if TYPE_CHECKING:
    from tunesmith.eval.report import Report


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """The model, the rows, and where a page goes."""
    parser.add_argument("model", help=text.say("cli.argument_model", lang))
    parser.add_argument("--data", type=Path, metavar="FILE", help=text.say("cli.option_data", lang))
    parser.add_argument("--task", metavar="TASK", help=text.say("cli.option_task_own", lang))
    parser.add_argument(
        "--metric", metavar="NAME", action="append", default=[], help=text.say("cli.option_metric", lang)
    )
    parser.add_argument(
        "--slice", metavar="COLUMN", action="append", default=[], help=text.say("cli.option_slice", lang)
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help=text.say("cli.option_report_folder", lang))
    parser.add_argument("--html", type=Path, metavar="FILE", help=text.say("cli.option_html", lang))
    group = parser.add_argument_group(text.say("cli.suites", lang))
    group.add_argument("--suite", metavar="NAME", help=text.say("cli.option_suite", lang))
    for name, low in (("shots", 0), ("limit", 1)):
        say = text.say(f"cli.option_{name}", lang)
        group.add_argument(f"--{name}", type=number(int, low, 1_000_000), metavar="N", help=say)
    for name in ("chat", "run-code"):
        say = text.say(f"cli.option_{name.replace('-', '_')}", lang)
        group.add_argument(f"--{name}", action="store_true", help=say)


def run(given: argparse.Namespace, output: Output) -> int:
    """Measure and show."""
    _check(given)
    if given.suite is not None:
        from tunesmith.cli.suite_views import run_suite

        return run_suite(given, output)
    if given.data is None:
        raise UsageError("U04", name="--data", wanted="--data FILE / --suite NAME")
    from tunesmith.eval.summary import diagnosis, score_table
    from tunesmith.workflow.evaluate import evaluate

    found = evaluate(
        given.model, given.data, output.workspace, task=given.task, metrics=given.metric, slices=given.slice
    )
    report = found.report
    output.data(report.as_dict())
    table = score_table(report)
    rows = [
        [name, *("-" if value is None else f"{value:.4f}" for value in values)] for name, values in table.rows
    ]
    output.table(["", *table.metrics], rows)
    show_differences(asdict(report), output)
    show_diagnosis({"diagnosis": diagnosis(report)}, output)
    show_ledger(dict(report.ledger), output)
    output.line(output.say("eval_done", rows=f"{report.rows:,}", seconds=f"{report.seconds:.1f}"))
    if given.output is not None:
        found.write(given.output, output.lang)
        output.line(output.say("written", file=given.output))
    write_page(report, given.html, output)
    return 0


def _check(given: argparse.Namespace) -> None:
    """Whether the options go together."""
    own, other = ("task", "metric"), ("shots", "limit", "chat", "run_code")
    for name in own if given.suite is not None else other:
        if getattr(given, name) not in (None, False, []):
            wanted = "--suite" if given.suite is None else "--data FILE"
            raise UsageError("C56", name=f"--{name.replace('_', '-')}", wanted=wanted)


def write_page(report: Report, file: Path | None, output: Output) -> None:
    """The report as a page, if one was asked for."""
    if file is None:
        return
    from tunesmith.core import durable
    from tunesmith.eval import html

    durable.write_bytes(file, html.render(report, output.lang).encode())
    output.line(output.say("written", file=file))
