"""tunesmith store: where releases, aliases and keys are kept."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.cli import layout, prune_view
from tunesmith.cli.output import Output
from tunesmith.cli.parser import Actions, carry_out
from tunesmith.core import text

if TYPE_CHECKING:
    from tunesmith.core.backup import Contents

OWN_FILE = "file"


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """show, use, backup, restore, prune."""
    actions = Actions(parser, lang)
    actions.add("show")
    actions.add("use", "store_url")
    backup = actions.add("backup", "new_file")
    backup.add_argument("--no-runs", action="store_true", help=text.say("cli.option_no_runs", lang))
    restore = actions.add("restore", "backup_file")
    restore.add_argument("--replace", action="store_true", help=text.say("cli.option_replace", lang))
    prune_view.arguments(actions.add("prune"), lang)


def run(given: argparse.Namespace, output: Output) -> int:
    """Carry out the action."""
    actions = {"show": _show, "use": _use, "backup": _backup, "restore": _restore, "prune": prune_view.prune}
    return carry_out(actions, given, output)


def _show(_given: argparse.Namespace, output: Output) -> int:
    from tunesmith.core.store import looking

    found = looking.describe(output.workspace.database)
    output.data(found)
    counted = output.say("store_held", **found["holds"]) if found["holds"] else output.say("store_new")
    rows = {"store_where": found["store"], "store_schema": found["schema"] or "", "store_holds": counted}
    for line in layout.pairs([(output.say(key), value) for key, value in rows.items()]):
        output.line(line)
    return 0


def _use(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.core.store import looking

    place = output.workspace
    before = place.database
    url = None if given.store_url == OWN_FILE else given.store_url
    used = looking.use(place.root, url)
    output.data({"store": used.shown, "before": before.shown})
    output.line(output.say("store_used", store=used.shown))
    if before != used and before.exists():
        output.hint(output.say("store_left", store=before.shown))
    return 0


def _backup(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.core import backup

    path = Path(given.new_file)
    made = backup.backup(output.workspace, path, runs=not given.no_runs)
    size, counted = path.stat().st_size, _counted(made)
    output.data({"file": str(path), "bytes": size, **counted})
    output.line(output.say("store_backed_up", file=path, size=layout.mebibytes(size), **counted))
    return 0


def _restore(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.core import backup

    path = Path(given.backup_file)
    counted = _counted(backup.restore(path, output.workspace, replace=given.replace))
    output.data({"file": str(path), **counted})
    output.line(output.say("store_restored", file=path, **counted))
    return 0


def _counted(contents: Contents) -> dict[str, int]:
    return {"releases": len(contents.tables["releases"]), "files": len(contents.files)}
