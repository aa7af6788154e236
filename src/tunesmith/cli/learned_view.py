"""Rows on a terminal with what is learned in colour, or between marks where there is no colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tunesmith.cli.output import Output, printable

if TYPE_CHECKING:
    from rich.console import Console

_COLUMNS = 80
_INDENT = 2
_LEARNED = "bold green"
# Characters of a piece, and pieces of a row, beyond which the middle is left out.
_LONG, _MANY = 240, 12
_GAP = "……"


def show(examples: Sequence[dict[str, Any]], output: Output) -> None:
    """The pieces of some rows, each row under its place in the data."""
    if output.as_json or not examples:
        return
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    console = Console(highlight=False, markup=False, width=min(console.width, _COLUMNS))
    is_marked = console.color_system is None or console.no_color
    output.line(output.say("check_learned_marked" if is_marked else "check_learned"))
    for example in examples:
        tokens = {learned: _count(example, learned) for learned in (True, False)}
        output.line(output.say("check_row", place=example["place"], learned=tokens[True], read=tokens[False]))
        _print(console, example["pieces"], is_marked)


def _count(example: dict[str, Any], learned: bool) -> int:
    return sum(len(piece["ids"]) for piece in example["pieces"] if piece["learned"] is learned)


def _print(console: Console, pieces: Sequence[dict[str, Any]], is_marked: bool) -> None:
    from rich.text import Text

    text = Text()
    half = _MANY // 2
    shown = (
        [*pieces[:half], {"text": _GAP, "learned": False}, *pieces[-half:]] if len(pieces) > _MANY else pieces
    )
    for piece in shown:
        words = _short(printable(piece["text"]))
        if piece["learned"]:
            words = f"⟦{words}⟧" if is_marked else words
        text.append(words, style=_LEARNED if piece["learned"] else None)
    text.rstrip()
    for line in text.wrap(console, console.width - _INDENT, overflow="fold"):
        line.rstrip()
        console.print(Text(" " * _INDENT).append_text(line))


def _short(text: str) -> str:
    """A text without its middle, if it is long."""
    half = _LONG // 2
    return text if len(text) <= _LONG else f"{text[:half]}{_GAP}{text[-half:]}"
