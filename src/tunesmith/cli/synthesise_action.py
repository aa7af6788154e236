"""tunesmith data synthesise: rows that a model makes up, label by label."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from tunesmith.cli.output import Output
from tunesmith.cli.parser import number
from tunesmith.core import text
from tunesmith.core.errors import UsageError


def synthesise_options(option: Callable[..., None]) -> None:
    """The model, how many rows, what they must be like, and what they must not repeat."""
    option("synthesise", "--by", dest="model", metavar="MODEL")
    option("synthesise", "--each", type=number(int, 1, 100_000), default=20, metavar="N")
    option("synthesise", "--rubric", metavar="TEXT")
    option("synthesise", "--held-out", dest="held_out", metavar="FILE")


def run_synthesise(given: argparse.Namespace, output: Output) -> int:
    """Ask the model, and write what it made up."""
    from tunesmith.cli import data_views
    from tunesmith.workflow.augmenting import helpers
    from tunesmith.workflow.dataset import section
    from tunesmith.workflow.dataset.synthesising import Wishes, synthesise

    needed = {"FILE": given.files, "--by": given.model, "--out": given.out}
    if missing := [name for name, value in needed.items() if not value]:
        reason = text.say("cli.usage_required", text.language(given.lang), names=", ".join(missing))
        raise UsageError("U01", reason=reason, command="tunesmith data synthesise")
    fields = section.fields_of(given.fields)
    real = section.of_files(given.files, task=given.task, fields=fields, seed=given.seed)
    held_out = section.of_files([given.held_out], task=real.shape, fields=fields) if given.held_out else None
    made = synthesise(
        real,
        Wishes(by=given.model, rows=given.each, rubric=given.rubric or ""),
        helpers(output.workspace, Path()).find(given.model),
        given.out,
        held_out=held_out,
        layout=given.to,
    )
    output.data(made)
    data_views.show_counts(made["made"], output)
    output.line(output.say("written", file=made["out"]))
    return 0
