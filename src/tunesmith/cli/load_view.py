"""tunesmith serve --bench URL: what a server does under load, as a table or as JSON."""

from __future__ import annotations

import argparse
import asyncio
import os
from typing import Any

from tunesmith.cli.output import Output
from tunesmith.cli.parser import number
from tunesmith.core import text


def options(parser: argparse.ArgumentParser, lang: str) -> None:
    """What is sent."""
    for name, kind, default in (
        ("clients", number(int, 1, 4096), None),
        ("seconds", number(float, 0.1, 86_400), 10.0),
        ("words", number(int, 1, 100_000), 100),
        ("tokens", number(int, 1, 100_000), 128),
    ):
        several = {"action": "append"} if name == "clients" else {"default": default}
        parser.add_argument(
            f"--{name}", type=kind, metavar="N", help=text.say(f"cli.option_bench_{name}", lang), **several
        )
    parser.add_argument("--key-env", metavar="NAME", help=text.say("cli.option_bench_key_env", lang))


def show(given: argparse.Namespace, output: Output) -> int:
    """Put the loads on the server, one after another, and say what it did."""
    from tunesmith.serve.load import Load, measure

    key = os.environ.get(given.key_env) if given.key_env else None
    model = given.models[0] if given.models else None
    found: list[dict[str, Any]] = []
    for clients in given.clients or [1, 8, 32]:
        output.hint(output.say("bench_running", clients=clients, seconds=given.seconds))
        load = Load(clients=clients, seconds=given.seconds, words=given.words, tokens=given.tokens)
        found.append(asyncio.run(measure(given.bench, load, model=model, key=key)).as_dict())
    output.data({"url": given.bench, "loads": found})
    columns = (
        "clients",
        "requests",
        "requests_second",
        "tokens_second",
        "first_token",
        "per_token",
        "latency",
    )
    output.table(
        [output.say(f"column_{name}") for name in (*columns, "errors")], [_row(one) for one in found]
    )
    return 0


def _row(found: dict[str, Any]) -> list[str]:
    errors = ", ".join(f"{kind}: {count}" for kind, count in found["errors"].items())
    return [
        str(found["clients"]),
        str(found["requests"]),
        f"{found['requests_per_second']:.1f}",
        f"{found['tokens_per_second']:.1f}",
        *(_pair(found[name]) for name in ("first_token_ms", "per_token_ms", "latency_ms")),
        errors or "0",
    ]


def _pair(quantiles: dict[str, float] | None) -> str:
    return f"{quantiles['p50']:,.1f} / {quantiles['p95']:,.1f}" if quantiles else "-"
