"""Tags and notes of releases and runs, and how aliases were moved."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tunesmith.cli.layout import moment
from tunesmith.cli.output import Output
from tunesmith.cli.parser import Actions
from tunesmith.core import text

if TYPE_CHECKING:
    from tunesmith.core.store.marks import Kind
    from tunesmith.core.workspace import Workspace


def arguments(actions: Actions, subject: str, lang: str) -> None:
    """The actions tag and note, of what the positional argument `subject` names."""
    tag, note = actions.add("tag", subject), actions.add("note", subject)
    tag.add_argument("tags", nargs="+", metavar="TAG", help=text.say("cli.argument_tags", lang))
    tag.add_argument("--remove", action="store_true", help=text.say("cli.option_remove_tags", lang))
    note.add_argument("text", metavar="TEXT", help=text.say("cli.argument_note", lang))


def tag(kind: Kind, name: str, given: argparse.Namespace, output: Output) -> int:
    """Put tags on, or take them off."""
    from tunesmith.core.store import Store

    store = Store(output.workspace.database)
    change = store.untag if given.remove else store.tag
    tags = change(kind, name, given.tags)
    output.data({"name": name, "tags": tags})
    output.line(f"{name}: {', '.join(tags) or output.say('marks_no_tags')}")
    return 0


def note(kind: Kind, name: str, given: argparse.Namespace, output: Output) -> int:
    """Write a note."""
    from tunesmith.core.store import Store

    store = Store(output.workspace.database)
    store.note(kind, name, given.text)
    output.data({"name": name, "notes": [asdict(note) for note in store.notes(kind, name)]})
    output.line(output.say("marks_noted", name=name))
    return 0


def known(kind: Kind, name: str, workspace: Workspace) -> dict[str, Any]:
    """The tags and notes of something, as JSON has them."""
    if not workspace.database.exists():
        return {"tags": [], "notes": []}
    from tunesmith.core.store import Store

    store = Store(workspace.database)
    tags, notes = store.tags(kind).get(name, ()), store.notes(kind, name)
    store.close()
    return {"tags": list(tags), "notes": [asdict(note) for note in notes]}


def show(found: dict[str, Any], output: Output) -> None:
    """Tags in a line, notes with their times."""
    if found["tags"]:
        output.line(output.say("marks_tags", tags=", ".join(found["tags"])))
    for note in found["notes"]:
        output.line(f"  {moment(note['written'])}  {note['text']}")


def history(given: argparse.Namespace, output: Output) -> int:
    """How the aliases of a release were moved, newest first."""
    from tunesmith.core.store import Store

    name = given.release_name.partition("@")[0]
    store = Store(output.workspace.database)
    found = list(reversed(store.history(name)))
    if not found:
        store.release(name)
    output.data({"name": name, "moves": [asdict(move) for move in found]})
    columns = [output.say(f"column_{c}") for c in ("moved", "alias", "before", "to", "reason")]
    rows = [
        [moment(m.moved), m.alias, "-" if m.previous is None else str(m.previous), str(m.version), m.reason]
        for m in found
    ]
    output.table(columns, rows)
    return 0
