"""tunesmith store: where releases, aliases and keys are kept."""

from __future__ import annotations

import argparse

from tunesmith.cli import layout
from tunesmith.cli.output import Output
from tunesmith.cli.parser import Actions, carry_out

OWN_FILE = "file"


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """show, use."""
    actions = Actions(parser, lang)
    actions.add("show")
    actions.add("use", "store_url")


def run(given: argparse.Namespace, output: Output) -> int:
    """Carry out the action."""
    return carry_out({"show": _show, "use": _use}, given, output)


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
