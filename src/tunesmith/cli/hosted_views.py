"""Hosted models on the command line: keeping, listing, showing and forgetting them."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict
from typing import Any

from tunesmith.cli import layout
from tunesmith.cli.output import Output
from tunesmith.cli.parser import number
from tunesmith.core import text
from tunesmith.core.errors import UsageError
from tunesmith.models import endpoint as endpoints
from tunesmith.models.endpoint import PREFIX, Endpoint

_OPTIONS = ("url", "model", "key_env", "max_requests", "max_tokens")


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """What `models add hosted:NAME` has to be told."""
    bound = number(int, 1, 10**12)
    for name, shown, kind in (
        ("url", "URL", str), ("model", "ID", str), ("key_env", "VARIABLE", str),
        ("max_requests", "N", bound), ("max_tokens", "N", bound),
    ):  # fmt: skip
        option = f"--{name.replace('_', '-')}"
        # `add` has a positional argument and `list` an option of these names.
        parser.add_argument(
            option,
            dest=f"hosted_{name}",
            type=kind,
            metavar=shown,
            help=text.say(f"cli.option_hosted_{name}", lang),
        )


def is_hosted(name: str) -> bool:
    """Whether a name is that of a hosted model."""
    return name.startswith(PREFIX)


def add(given: argparse.Namespace, output: Output) -> int:
    """Keep where a hosted model is.

    Raises:
        UsageError: U04 without URL or model, M64 when they cannot be used.
    """
    said = {name: getattr(given, f"hosted_{name}") for name in _OPTIONS}
    for name in ("url", "model"):
        if not said[name]:
            raise UsageError("U04", name=f"--{name}", wanted=output.say(f"option_hosted_{name}"))
    made = Endpoint(
        name=given.source.removeprefix(PREFIX),
        url=said["url"],
        model=said["model"],
        key=said["key_env"],
        requests=said["max_requests"],
        tokens=said["max_tokens"],
    )
    endpoints.add(made, output.workspace)
    output.data(_facts(made, output))
    output.line(output.say("models_hosted_added", name=PREFIX + made.name, url=made.url))
    return 0


def show(name: str, output: Output) -> int:
    """Everything about one hosted model, a line each."""
    found = _facts(endpoints.find(name, output.workspace), output)
    output.data(found)
    output.line(found["name"])
    rows = [
        (output.say(f"column_{key}"), str(found[key]))
        for key in ("url", "model", "key", "spent")
        if found[key]
    ]
    for line in layout.pairs(rows):
        output.line(line)
    return 0


def remove(name: str, output: Output) -> int:
    """Forget where a hosted model is; answers that are kept stay."""
    removed = endpoints.remove(name, output.workspace)
    output.data({"model": PREFIX + removed.name, "removed": True})
    output.line(output.say("models_removed", release=PREFIX + removed.name))
    return 0


def rows(output: Output) -> list[dict[str, Any]]:
    """All hosted models as plain values."""
    return [_facts(found, output) for found in endpoints.every(output.workspace)]


def show_list(found: list[dict[str, Any]], output: Output) -> None:
    """Hosted models as a table, if there are any."""
    if found:
        columns = ["model", "url", "spent"]
        told = [[row["name"], f"{row['url']} {row['model']}", row["spent"]] for row in found]
        output.table([output.say(f"column_{c}") for c in columns], told, title=output.say("models_hosted"))


def _facts(found: Endpoint, output: Output) -> dict[str, Any]:
    used = endpoints.spent(found, output.workspace)
    spent = [
        f"{value:,}{f' / {bound:,}' if bound else ''} {output.say(f'models_{unit}')}"
        for unit, value, bound in (
            ("requests", used.requests, found.requests),
            ("tokens", used.tokens, found.tokens),
        )
    ]
    key = None
    if found.key is not None:
        key = f"${found.key} ({output.say('yes' if os.environ.get(found.key) else 'no')})"
    return {
        **asdict(found),
        "name": PREFIX + found.name,
        "key": key,
        "key_env": found.key,
        "spent": ", ".join(spent),
        "used": asdict(used),
    }
