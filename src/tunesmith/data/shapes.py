"""What a task needs of a row: the names of the shapes, their columns, and what `data.fields` may map.

    labelled   text: str, label: str
    text       text: str
    messages   messages: list of {role: str, content: str}

The types are strings here, so that asking for them imports no table library.
"""

from __future__ import annotations

from collections.abc import Mapping

LABELLED = "labelled"
TEXT = "text"
MESSAGES = "messages"

COLUMNS: Mapping[str, tuple[str, ...]] = {
    LABELLED: ("text", "label"),
    TEXT: ("text",),
    MESSAGES: ("messages",),
}
"""The columns of each shape."""

FIELDS: Mapping[str, tuple[str, ...]] = {
    LABELLED: ("text", "label"),
    TEXT: ("text", "prompt", "input", "completion"),
    MESSAGES: ("messages", "system", "prompt", "input", "completion", "history"),
}
"""The names a recipe's `data.fields` may map to columns, by shape."""
