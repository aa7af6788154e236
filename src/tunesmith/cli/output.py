"""What a command says: data on stdout, progress and hints on stderr."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.core import text, workspace
from tunesmith.core.errors import Problem, TunesmithError, render
from tunesmith.core.plain import dumps


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where a command's words go, and in which language and form."""

    lang: str
    as_json: bool
    quiet: bool
    place: Path | None
    store: str | None = None

    @classmethod
    def of(cls, arguments: argparse.Namespace, lang: str) -> Output:
        """The output that the common options ask for."""
        return cls(
            lang=lang, as_json=arguments.json, quiet=arguments.quiet, place=arguments.workspace,
            store=arguments.store,
        )  # fmt: skip

    @property
    def workspace(self) -> workspace.Workspace:
        """The workspace that the common options ask for."""
        return workspace.find(self.place, store=self.store)

    def say(self, key: str, /, **values: Any) -> str:
        """A sentence of cli.toml."""
        return text.say(f"cli.{key}", self.lang, **values)

    def data(self, value: Any) -> None:
        """One JSON object on stdout, when JSON was asked for."""
        if self.as_json:
            sys.stdout.write(dumps(value) + "\n")
            sys.stdout.flush()

    def line(self, words: str = "") -> None:
        """A line for people on stdout, unless JSON was asked for."""
        if not self.as_json:
            sys.stdout.write(printable(words) + "\n")
            sys.stdout.flush()

    def hint(self, words: str) -> None:
        """A line on stderr, unless quiet."""
        if not self.quiet:
            sys.stderr.write(printable(words) + "\n")
            sys.stderr.flush()

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
        """A table for people on stdout; columns of numbers are aligned to the right."""
        if self.as_json:
            return
        from rich import box
        from rich.console import Console
        from rich.table import Table

        table = Table(*columns, title=title or None, box=box.SIMPLE_HEAD, title_justify="left")
        for i, column in enumerate(table.columns):
            cells = [row[i] for row in rows]
            column.justify = "right" if cells and all(_is_number(cell) for cell in cells) else "left"
            column.overflow = "fold"
        for row in rows:
            table.add_row(*(printable(cell).replace("[", r"\[") for cell in row))
        Console(highlight=False).print(table)


# Line ends, and what joins emoji and letters.
_HARMLESS = "\n\t\u200c\u200d"


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"-?|[-+]?[\d,]*\.?\d+[%kMB]?", cell))


def printable(words: str) -> str:
    """Text of unknown origin without control characters that could steer a terminal."""
    return "".join(c if c.isprintable() or c in _HARMLESS else repr(c)[1:-1] for c in words)


def show_error(error: TunesmithError, lang: str, *, as_json: bool) -> None:
    """The problems of an error: as one object on stdout with --json, and as text on stderr."""
    if as_json:
        problems = [problem.as_dict(lang) for problem in error.problems]
        content = {"ok": False, "problems": problems}
        sys.stdout.write(dumps(content) + "\n")
    show_problems(error.problems, lang)


def show_problems(problems: Sequence[Problem], lang: str) -> None:
    """Problems as text on stderr."""
    shown = "\n\n".join(render(problem, lang) for problem in problems)
    sys.stderr.write(printable(shown) + "\n")
