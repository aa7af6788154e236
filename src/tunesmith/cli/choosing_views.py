"""Choosing among models: the options that filter a list, and suggestions for a file of rows."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tunesmith.cli import layout
from tunesmith.cli.output import Output
from tunesmith.core import text
from tunesmith.core.memory import machine_memory_bytes
from tunesmith.models import selection
from tunesmith.models.selection import Wanted


def filters(parser: argparse.ArgumentParser, lang: str) -> None:
    """What a model that is listed must have."""
    for name, key in (
        ("task", "option_task_filter"),
        ("family", "option_family"),
        ("language", "option_language_filter"),
        ("licence", "option_licence"),
        ("size", "option_size"),
    ):
        parser.add_argument(f"--{name}", metavar=name.upper(), help=text.say(f"cli.{key}", lang))


def wanted(given: argparse.Namespace) -> Wanted:
    """What those options ask for.

    Raises:
        UsageError: M60 when the size is none.
    """
    return Wanted(
        task=given.task,
        family=given.family,
        language=given.language,
        licence=given.licence,
        size=selection.size(given.size) if given.size else None,
    )


def is_any(chosen: Wanted) -> bool:
    """Whether nothing but a task was asked for, which is all that is known of a hosted model."""
    return (chosen.family, chosen.language, chosen.licence, chosen.size) == (None, None, None, None)


_SHOWN = 5
# What a model made from nothing would be; decoders for all other tasks.
_FROM_NOTHING = {"classify": "bert", "translate": "transformer", "summarise": "transformer"}


def suggesting(parser: argparse.ArgumentParser, lang: str) -> None:
    """What a suggestion goes by."""
    say = text.say
    parser.add_argument("--task", required=True, metavar="TASK", help=say("cli.option_suggest_task", lang))
    parser.add_argument(
        "--data", required=True, type=Path, metavar="FILE", help=say("cli.option_suggest_data", lang)
    )
    parser.add_argument("--memory", metavar="SIZE", help=say("cli.option_suggest_memory", lang))
    parser.add_argument("--latency", type=float, metavar="MS", help=say("cli.option_latency", lang))
    parser.add_argument("--language", metavar="LANGUAGE", help=say("cli.option_suggest_language", lang))


def suggest(given: argparse.Namespace, output: Output) -> int:
    """Rank the catalogue for a task and a file."""
    from tunesmith.workflow import suggesting as ranking

    limit = selection.memory_bytes(given.memory) if given.memory else machine_memory_bytes() or 8 * 2**30
    rows = ranking.look(given.task, given.data)
    languages = [given.language] if given.language else []
    found = ranking.rank(given.task, rows, memory_bytes=limit, languages=languages, latency_ms=given.latency)
    baseline = "tfidf" if given.task == "classify" else None
    models = [one for one in found if one["model"] != baseline]
    output.data({"rows": asdict(rows), "memory_bytes": limit, "baseline": baseline, "suggestions": models})
    shown = {"rows": rows.rows, "tokens": rows.tokens, "languages": ", ".join(rows.languages) or "-"}
    output.line(output.say("suggest_rows", **shown))
    for number, one in enumerate(models[:_SHOWN], 1):
        _show(number, one, output)
    output.line()
    if not models:
        architecture = _FROM_NOTHING.get(given.task, "llama")
        output.line(output.say("suggest_from_nothing", architecture=architecture))
    if baseline:
        output.line(output.say("suggest_baseline"))
    return 0


def _show(number: int, one: dict[str, Any], output: Output) -> None:
    output.line(f"\n{number}. model: {one['model']}  ({layout.count(one['parameters'])})")
    for reason, values in one["reasons"]:
        for line in layout.wrap(output.say(f"suggest_{reason}", **values), 75):
            output.line(f"   {line}")
