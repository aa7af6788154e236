"""tunesmith eval MODEL --data FILE: a report for any model on any file of rows."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from tunesmith.cli.output import Output
from tunesmith.cli.run_verb import show_differences, show_ledger
from tunesmith.core import text


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """The model, the rows, and where a page goes."""
    parser.add_argument("model", help=text.say("cli.argument_model", lang))
    parser.add_argument(
        "--data", type=Path, metavar="FILE", required=True, help=text.say("cli.option_data", lang)
    )
    parser.add_argument("--task", metavar="TASK", help=text.say("cli.option_task_own", lang))
    parser.add_argument("--output", type=Path, metavar="DIR", help=text.say("cli.option_report_folder", lang))
    parser.add_argument("--html", type=Path, metavar="FILE", help=text.say("cli.option_html", lang))


def run(given: argparse.Namespace, output: Output) -> int:
    """Measure and show."""
    from tunesmith.core import durable
    from tunesmith.eval.summary import score_table
    from tunesmith.workflow.evaluate import evaluate

    found = evaluate(given.model, given.data, output.workspace, task=given.task)
    report = found.report
    output.data(report.as_dict())
    table = score_table(report)
    rows = [
        [name, *("-" if value is None else f"{value:.4f}" for value in values)] for name, values in table.rows
    ]
    output.table(["", *table.metrics], rows)
    show_differences(asdict(report), output)
    show_ledger(dict(report.ledger), output)
    output.line(output.say("eval_done", rows=f"{report.rows:,}", seconds=f"{report.seconds:.1f}"))
    if given.output is not None:
        found.write(given.output, output.lang)
        output.line(output.say("written", file=given.output))
    if given.html is not None:
        from tunesmith.eval import html

        durable.write_bytes(given.html, html.render(report, output.lang).encode())
        output.line(output.say("written", file=given.html))
    return 0
