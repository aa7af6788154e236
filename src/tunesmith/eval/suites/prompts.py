"""From a row to the text that a model is asked: columns put into a template, solved rows before it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.core.errors import RecipeError
from tunesmith.core.registry import suggestion

Row = Mapping[str, Any]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_PLACE = re.compile(r"\{\{|\}\}|\{([^{}\n]+)\}")


def fill(template: str, row: Row) -> str:
    """The template with `{column}` replaced by the cell; a list becomes lettered lines, `{{` is a brace.

    A line of the template in which all cells are empty is left out.

    Raises:
        RecipeError: C42 when the row has no such column.
    """
    lines = (_line(line, row) for line in template.split("\n"))
    return "\n".join(line for line in lines if line is not None)


def _line(line: str, row: Row) -> str | None:
    cells: list[str] = []

    def cell(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][0]
        cells.append(_text(value(row, found[1])))
        return cells[-1]

    filled = _PLACE.sub(cell, line)
    return None if cells and not any(cells) else filled


def value(row: Row, column: str) -> Any:
    """A cell of a row.

    Raises:
        RecipeError: C42 when there is no such column.
    """
    if column not in row:
        raise RecipeError("C42", column=column, **suggestion(column, list(row)))
    return row[column]


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, list):
        return "\n".join(f"{LETTERS[i]}. {text}" for i, text in enumerate(unlettered(cell)))
    return str(cell)


def unlettered(options: Sequence[Any]) -> list[str]:
    """The texts of options, without the letter that they may begin with: `(A) so`, `A. so`, `A、so`."""
    return [_without(letter, str(text)) for letter, text in zip(LETTERS, options, strict=False)]


def _without(letter: str, text: str) -> str:
    found = re.match(rf"\s*(?:[(（]\s*{letter}\s*[)）]|{letter}\s*[.、．:：)）])[.、．]?\s*", text)
    return text[found.end() :] if found else text.strip()


def joined(examples: Sequence[str], prompt: str, divider: str) -> str:
    """Solved rows and the prompt of the one to be solved."""
    return divider.join([*examples, prompt])
