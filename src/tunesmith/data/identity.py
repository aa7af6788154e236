"""What two rows have in common when they say the same, or ask the same; and what they then must agree on.

Compared without regard to case, width and spaces (`characters.comparable`).
"""

from __future__ import annotations

import polars as pl

from tunesmith.data.characters import comparable

_FIELD, _TURN = "\x1f", "\x1e"


def said(frame: pl.DataFrame) -> pl.Series:
    """All of a row's text, its answer included where the answer is text: equal rows are duplicates."""
    return _joined(frame, _present(frame, ("text", "messages", "prompt", "chosen", "rejected"), _SOURCES))


def asked(frame: pl.DataFrame) -> pl.Series:
    """What a model must not have seen in training if it is to be tested on the row.

    The text or conversation; of a preference its prompt, of a question its context, of a pair its source.
    """
    return _joined(frame, _present(frame, ("text", "messages", "prompt"), ("context", "source")))


def agreed(frame: pl.DataFrame) -> pl.Series | None:
    """What duplicates must agree on: label, labels, tags, answers or judgement; null where it is missing."""
    for name in ("label", "labels", "spans", "answers", "desirable"):
        if name in frame.columns:
            column = frame[name]
            if name == "labels":
                column = column.list.sort()
            return column if column.dtype in (pl.String, pl.Boolean) else _as_text(column)
    return None


def allows_near(frame: pl.DataFrame) -> bool:
    """Whether rows that nearly say the same are duplicates: questions on one text are not."""
    return "context" not in frame.columns


_SOURCES = ("question", "context", "source", "target")


def _present(frame: pl.DataFrame, *names: tuple[str, ...]) -> list[str]:
    return [name for group in names for name in group if name in frame.columns]


def _joined(frame: pl.DataFrame, names: list[str]) -> pl.Series:
    parts = [_comparable(frame, name).fill_null("") for name in names]
    return frame.select(pl.concat_str(*parts, separator=_FIELD)).to_series()


def _comparable(frame: pl.DataFrame, name: str) -> pl.Expr:
    if frame.schema[name] == pl.String:
        return comparable(pl.col(name))
    part = pl.element().struct
    content, calls = comparable(part.field("content")), part.field("tool_calls").fill_null("")
    turn = pl.concat_str(part.field("role"), content, calls, separator=_FIELD)
    return pl.col(name).list.eval(turn).list.join(_TURN)


def _as_text(column: pl.Series) -> pl.Series:
    """Lists as text that is equal when they are."""
    return column.to_frame("it").select(pl.struct("it").struct.json_encode()).to_series()
