"""Options that choose among models."""

from __future__ import annotations

import argparse

from tunesmith.core import text
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
