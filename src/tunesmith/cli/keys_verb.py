"""tunesmith keys: the keys that clients of a server identify themselves with."""

from __future__ import annotations

import argparse

from tunesmith.cli.layout import moment
from tunesmith.cli.output import Output
from tunesmith.cli.parser import Actions, carry_out
from tunesmith.core import text

_SCOPES = ("serve", "studio", "studio:viewer", "studio:annotator", "studio:engineer", "studio:admin")


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """create, list, revoke."""
    actions = Actions(parser, lang)
    create = actions.add("create", "key_name")
    create.add_argument(
        "--scope", action="append", choices=_SCOPES, dest="scopes", help=text.say("cli.option_scope", lang)
    )
    actions.add("list")
    actions.add("revoke", "key_id")


def run(given: argparse.Namespace, output: Output) -> int:
    """Carry out the action."""
    actions = {"create": _create, "list": _list, "revoke": _revoke}
    return carry_out(actions, given, output)


def _create(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.core.store import Store

    scopes = given.scopes or ["serve"]
    identity, secret = Store(output.workspace.database).create_key(given.key_name, scopes)
    output.data({"id": identity, "name": given.key_name, "scopes": scopes, "key": secret})
    output.line(secret)
    output.hint(output.say("keys_created", id=identity))
    return 0


def _list(_given: argparse.Namespace, output: Output) -> int:
    from tunesmith.core.store import Store

    database = output.workspace.database
    found = Store(database).keys() if database.exists() else []
    output.data({"keys": [{"id": k.id, "name": k.name, "scopes": k.scopes, "created": k.created,
                           "revoked": k.revoked} for k in found]})  # fmt: skip
    if not found:
        output.hint(output.say("keys_none"))
        return 0
    columns = [output.say(f"column_{name}") for name in ("id", "name", "scopes", "created", "revoked")]
    output.table(
        columns,
        [
            [k.id, k.name, ", ".join(k.scopes), moment(k.created), moment(k.revoked) if k.revoked else ""]
            for k in found
        ],
    )
    return 0


def _revoke(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.core.store import Store

    Store(output.workspace.database).revoke_key(given.key_id)
    output.data({"id": given.key_id, "revoked": True})
    output.line(output.say("keys_revoked", id=given.key_id))
    return 0
