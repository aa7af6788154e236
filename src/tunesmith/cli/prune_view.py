"""tunesmith store prune: what is old and nothing needs is shown, asked about, and removed."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from tunesmith.cli import layout
from tunesmith.cli.output import Output
from tunesmith.cli.parser import number
from tunesmith.core import text

if TYPE_CHECKING:
    from tunesmith.workflow.pruning import Chosen, Rules

_KINDS = ("release", "run", "cache", "lost")
_YES = ("y", "yes", "是")


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """What may go."""
    said = {
        n: text.say(f"cli.option_{n}", lang) for n in ("kind", "keep", "older_than", "max_size", "dry_run")
    }
    parser.add_argument("--kind", action="append", choices=_KINDS, help=said["kind"])
    parser.add_argument("--keep", type=number(int, 0, 10**6), metavar="N", help=said["keep"])
    days, gigabytes = number(float, 0, 10**5), number(float, 0, 10**6)
    parser.add_argument("--older-than", type=days, metavar="DAYS", help=said["older_than"])
    parser.add_argument("--max-size", type=gigabytes, metavar="GB", help=said["max_size"])
    parser.add_argument("--dry-run", action="store_true", help=said["dry_run"])
    parser.add_argument("--yes", action="store_true", help=text.say("cli.option_yes", lang))


def prune(given: argparse.Namespace, output: Output) -> int:
    """Show what would go, and remove it if that is wished."""
    from tunesmith.workflow import pruning

    chosen = pruning.choose(output.workspace, _rules(given))
    _show(chosen, output)
    wished = bool(chosen.items) and not given.dry_run and (given.yes or _is_wished(output))
    gone = pruning.remove(chosen.items, output.workspace) if wished else []
    freed = chosen.freed if len(gone) == len(chosen.items) else sum(item.bytes for item in gone)
    items = [{"kind": i.kind, "name": i.name, "bytes": i.bytes, "removed": i in gone} for i in chosen.items]
    output.data({"items": items, "needed": chosen.needed, "bytes": chosen.freed, "removed": len(gone)})
    if wished:
        output.line(output.say("prune_done", count=len(gone), size=layout.mebibytes(freed)))
    elif chosen.items:
        output.hint(output.say("prune_how"))
    return 0


def _rules(given: argparse.Namespace) -> Rules:
    from tunesmith.workflow import pruning

    size = None if given.max_size is None else int(given.max_size * 10**9)
    kinds = tuple(given.kind) if given.kind else pruning.KINDS
    return pruning.Rules(kinds=kinds, keep=given.keep, days=given.older_than, size=size)


def _is_wished(output: Output) -> bool:
    """The answer of whoever sits at the terminal; without one nothing is removed."""
    if output.as_json or not sys.stdin.isatty():
        return False
    sys.stderr.write(output.say("prune_ask"))
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in _YES


def _show(chosen: Chosen, output: Output) -> None:
    if not chosen.items:
        output.line(output.say("prune_nothing", needed=chosen.needed))
        return
    columns = [output.say(f"column_{name}") for name in ("kind", "name", "size", "created")]
    rows = [
        [item.kind, item.name, layout.mebibytes(item.bytes), layout.moment(item.made)]
        for item in chosen.items
    ]
    output.table(columns, rows)
    size = layout.mebibytes(chosen.freed)
    output.line(output.say("prune_would", count=len(chosen.items), size=size, needed=chosen.needed))
