"""tunesmith keys: the keys that clients of a server identify themselves with."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from tunesmith.cli.layout import moment
from tunesmith.cli.output import Output
from tunesmith.cli.parser import Actions, carry_out, number
from tunesmith.core import text

if TYPE_CHECKING:
    from tunesmith.core.store import Key, Used

_SCOPES = ("serve", "studio", "studio:viewer", "studio:annotator", "studio:engineer", "studio:admin")


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """create, list, revoke."""
    actions = Actions(parser, lang)
    create = actions.add("create", "key_name")
    create.add_argument(
        "--scope", action="append", choices=_SCOPES, dest="scopes", metavar="SCOPE",
        help=text.say("cli.option_scope", lang),
    )  # fmt: skip
    for name in ("requests", "tokens"):
        create.add_argument(
            f"--quota-{name}",
            type=number(int, 1, 10**15),
            metavar="N",
            help=text.say(f"cli.option_quota_{name}", lang),
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
    quotas = {"quota_requests": given.quota_requests, "quota_tokens": given.quota_tokens}
    identity, secret = Store(output.workspace.database).create_key(given.key_name, scopes, **quotas)
    output.data({"id": identity, "name": given.key_name, "scopes": scopes, **quotas, "key": secret})
    output.line(secret)
    output.hint(output.say("keys_created", id=identity))
    return 0


def _list(_given: argparse.Namespace, output: Output) -> int:
    from tunesmith.core.store import Store, Used
    from tunesmith.core.store.usage import day_of

    database = output.workspace.database
    store = Store(database) if database.exists() else None
    found, used = (store.keys(), store.usage(day_of(time.time()))) if store else ([], {})
    output.data({"keys": [{**asdict(key), "today": asdict(used.get(key.id, Used()))} for key in found]})
    if not found:
        output.hint(output.say("keys_none"))
        return 0
    names = ("id", "name", "scopes", "created", "revoked", "requests_today", "tokens_today")
    output.table(
        [output.say(f"column_{name}") for name in names],
        [_row(key, used.get(key.id, Used())) for key in found],
    )
    return 0


def _row(key: Key, used: Used) -> list[str]:
    revoked = moment(key.revoked) if key.revoked else ""
    requests = _share(used.requests, key.quota_requests)
    tokens = _share(used.tokens, key.quota_tokens)
    return [key.id, key.name, ", ".join(key.scopes), moment(key.created), revoked, requests, tokens]


def _share(used: int, quota: int | None) -> str:
    return f"{used:,}" if quota is None else f"{used:,} / {quota:,}"


def _revoke(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.core.store import Store

    Store(output.workspace.database).revoke_key(given.key_id)
    output.data({"id": given.key_id, "revoked": True})
    output.line(output.say("keys_revoked", id=given.key_id))
    return 0
