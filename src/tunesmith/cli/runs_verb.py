"""tunesmith runs: what was run, how it went, and what becomes of it."""

from __future__ import annotations

import argparse
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.cli import marks_view
from tunesmith.cli.output import Output
from tunesmith.cli.parser import Actions, carry_out
from tunesmith.core import text

if TYPE_CHECKING:
    from tunesmith.core.runs import RunFolder


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """list, show, compare, resume, stop, tag, note, remove."""
    actions = Actions(parser, lang)
    actions.add("list")
    actions.add("show", "run").add_argument(
        "--follow", action="store_true", help=text.say("cli.option_follow", lang)
    )
    compare = actions.add("compare")
    compare.add_argument("models", nargs="+", metavar="MODEL", help=text.say("cli.argument_compared", lang))
    compare.add_argument("--data", type=Path, metavar="FILE", help=text.say("cli.option_compare_data", lang))
    compare.add_argument("--output", type=Path, metavar="FILE.html", help=text.say("cli.option_page", lang))
    actions.add("resume", "run")
    actions.add("stop", "run")
    marks_view.arguments(actions, "run", lang)
    actions.add("remove", "run")


def run(given: argparse.Namespace, output: Output) -> int:
    """Carry out the action."""
    actions = {
        "list": _list, "show": _show, "compare": _compare, "resume": _resume, "stop": _stop,
        "remove": _remove, "tag": _tag, "note": _note,
    }  # fmt: skip
    return carry_out(actions, given, output)


def _find(name: str, output: Output) -> RunFolder:
    from tunesmith.core import runs

    return runs.find(output.workspace.runs, name)


def _list(_given: argparse.Namespace, output: Output) -> int:
    from tunesmith.cli import run_views
    from tunesmith.core import runs

    found = [run_views.summary(run) for run in runs.all_runs(output.workspace.runs)]
    output.data({"runs": found})
    run_views.show_list(found, output)
    return 0


def _show(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.cli import run_views

    found = _find(given.run, output)
    if given.follow:
        return _follow(found, output)
    from tunesmith.workflow import lineage

    known = {**run_views.describe(found), "releases": lineage.of_run(found, output.workspace)}
    known |= marks_view.known("run", found.id, output.workspace)
    output.data(known)
    run_views.show_one(known, output)
    marks_view.show(known, output)
    return 0


def _follow(found: RunFolder, output: Output) -> int:
    from tunesmith.cli import progress
    from tunesmith.cli.following import records
    from tunesmith.core.events import decode

    if output.as_json:
        for record in records(found):
            output.data(record)
    else:
        progress.follow((decode(record) for record in records(found)), output)
        output.line(f"{found.id}: {output.say('status_' + found.status())}")
    return 0


def _compare(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.cli import compare_view
    from tunesmith.core import durable
    from tunesmith.eval import comparison_page
    from tunesmith.workflow import comparing

    compared = comparing.compare(given.models, output.workspace, data=given.data)
    output.data(compared.as_dict())
    compare_view.show(compared, output)
    if given.output is not None:
        durable.write_bytes(given.output, comparison_page.render(compared, output.lang).encode())
        output.line(output.say("written", file=given.output))
    return 0


def _resume(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.cli import run_verb
    from tunesmith.workflow import plan as planning

    found = _find(given.run, output)
    return run_verb.carry_out(lambda: planning.resume(found, output.workspace), output)


def _stop(given: argparse.Namespace, output: Output) -> int:
    found = _find(given.run, output)
    owner = found.owner()
    if owner is not None:
        os.kill(owner, signal.SIGTERM)
    content: dict[str, Any] = {"run": found.id, "asked": owner is not None, "process": owner}
    output.data(content)
    key = "runs_stopping" if owner is not None else "runs_idle"
    output.line(output.say(key, run=found.id, owner=owner))
    return 0


def _tag(given: argparse.Namespace, output: Output) -> int:
    return marks_view.tag("run", _find(given.run, output).id, given, output)


def _note(given: argparse.Namespace, output: Output) -> int:
    return marks_view.note("run", _find(given.run, output).id, given, output)


def _remove(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.core.removing import remove_run

    found = _find(given.run, output)
    remove_run(found, output.workspace)
    output.data({"run": found.id, "removed": True})
    output.line(output.say("runs_removed", run=found.id))
    return 0
