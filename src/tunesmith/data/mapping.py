"""From raw columns to the shape a task needs: what kind of rows these are, and each row converted or refused.

Kinds are recognised by column names (`data.names`), row by row where a file mixes them; `data.fields` comes
first. A row that cannot be used gets a reason, and what is to be done with it is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from tunesmith.core.errors import DataError
from tunesmith.core.registry import suggestion
from tunesmith.data import shapes
from tunesmith.data.conversation import Sources, choices, convert, series
from tunesmith.data.guess import label_column, text_column
from tunesmith.data.table import RawTable, as_text

MISSING_LABELS = ("", "n/a", "#n/a", "nan", "null")
"""What stands for "no label" in tables (compared without regard to case)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """Rows in a shape, one for each raw row, in order.

    `frame` has the columns of the shape and `_bad` (null, or why the row cannot be used). A label that is
    missing is null and not bad. `mapping` says which column each field is, `kind` what was recognised.
    """

    frame: pl.DataFrame
    mapping: Mapping[str, str]
    kind: str


def to_shape(table: RawTable, shape: str, fields: Mapping[str, str]) -> Mapped:
    """The rows of `table` in `shape`; `fields` maps field names to columns and overrides recognition.

    Raises:
        DataError: D06 unknown column, D16 unknown field, D08 when it is not clear which columns to use.
    """
    _check_fields(table, shape, fields)
    if shape == shapes.LABELLED:
        return _labelled(table, fields)
    if shape == shapes.TEXT:
        return _text(table, fields)
    return _messages(table, fields)


def recognise(table: RawTable) -> str:
    """The name of the shape that the columns of `table` fit best."""
    columns = table.frame.columns
    if choices(columns, {}):
        return shapes.MESSAGES
    text, label = text_column(table, ()), label_column(table, ())
    return shapes.LABELLED if text and label else shapes.TEXT


def _check_fields(table: RawTable, shape: str, fields: Mapping[str, str]) -> None:
    columns, known = table.frame.columns, list(shapes.FIELDS[shape])
    for field, column in fields.items():
        if field not in known:
            raise DataError("D16", name=field, shape=shape, **suggestion(field, known))
        if column not in columns:
            values = suggestion(column, columns)
            raise DataError("D06", file=table.path, line=1, name=column, key=f"fields.{field}", **values)


def _labelled(table: RawTable, fields: Mapping[str, str]) -> Mapped:
    taken = tuple(fields.values())
    text = fields.get("text") or text_column(table, taken)
    label = fields.get("label") or label_column(table, (*taken, text or ""))
    if text is None or label is None:
        raise _unclear(table, shapes.LABELLED, text=text, label=label)
    frame = pl.DataFrame({"text": texts(table, text), "label": texts(table, label).str.strip_chars()})
    missing = pl.col("label").str.to_lowercase().is_in(MISSING_LABELS)
    frame = frame.with_columns(
        label=pl.when(missing).then(None).otherwise(pl.col("label")), _bad=_blank("text", "empty_text")
    )
    return Mapped(frame=frame, mapping={"text": text, "label": label}, kind="text_label")


def _text(table: RawTable, fields: Mapping[str, str]) -> Mapped:
    pairs = [way for way in choices(table.frame.columns, fields) if way.has_pair]
    if len(fields.keys() & {"prompt", "completion"}) == 1:
        found = {"prompt": fields.get("prompt"), "completion": fields.get("completion")}
        raise _unclear(table, shapes.TEXT, **found)
    if pairs and "text" not in fields:
        return _text_of_pairs(table, pairs)
    column = fields.get("text") or text_column(table, ())
    if column is None:
        raise _unclear(table, shapes.TEXT, text=None)
    frame = pl.DataFrame({"text": texts(table, column)})
    frame = frame.with_columns(_bad=_blank("text", "empty_text"))
    return Mapped(frame=frame, mapping={"text": column}, kind="text")


def _text_of_pairs(table: RawTable, pairs: list[Sources]) -> Mapped:
    """Prompt, input and completion as one text; a row is of the first pair whose prompt it has."""
    columns = sorted({column for way in pairs for column in way.mapping().values()})
    frame = pl.DataFrame([texts(table, column) for column in columns])
    text, bad = pl.lit(None, pl.String), pl.lit("unrecognised")
    for way in reversed(pairs):
        prompt, completion = str(way.prompt), str(way.completion)
        parts = [prompt, *([way.input] if way.input else []), completion]
        given = [pl.when(pl.col(part).str.strip_chars() != "").then(pl.col(part)) for part in parts]
        joined = pl.concat_str(*given, separator="\n", ignore_nulls=True)
        reason = pl.coalesce(_blank(prompt, "empty_prompt"), _blank(completion, "empty_answer"))
        here = pl.col(prompt).is_not_null()
        text = pl.when(here).then(joined).otherwise(text)
        bad = pl.when(here).then(reason).otherwise(bad)
    kinds = {way.kind for way in pairs}
    return Mapped(
        frame=frame.select(text=text, _bad=bad),
        mapping=_joined_mapping(pairs),
        kind=kinds.pop() if len(kinds) == 1 else "mixed",
    )


def _messages(table: RawTable, fields: Mapping[str, str]) -> Mapped:
    # Rows that have none of the columns of `fields` are recognised by themselves.
    ways = choices(table.frame.columns, fields)
    if not ways:
        raise _unclear(table, shapes.MESSAGES, prompt=None, completion=None)
    used = sorted({column for way in ways for column in way.mapping().values()})
    cells = [table.values(column) for column in used]
    results = [convert(dict(zip(used, row, strict=True)), ways) for row in zip(*cells, strict=True)]
    frame = pl.DataFrame(
        {
            "messages": series([result.messages for result in results]),
            "_bad": pl.Series([result.reason for result in results], dtype=pl.String),
        }
    )
    kinds = {result.kind for result in results if result.kind}
    kind = kinds.pop() if len(kinds) == 1 else "mixed"
    return Mapped(frame=frame, mapping=_joined_mapping(ways), kind=kind)


def _joined_mapping(ways: list[Sources]) -> dict[str, str]:
    """Field to column; to several columns where rows differ."""
    found: dict[str, dict[str, None]] = {}
    for way in ways:
        for field, column in way.mapping().items():
            found.setdefault(field, {})[column] = None
    return {field: ", ".join(columns) for field, columns in found.items()}


def texts(table: RawTable, column: str) -> pl.Series:
    """A column as text, see `table.as_text`; null where a cell is no text."""
    if column not in table.nested:
        return table.frame[column].cast(pl.String)
    return pl.Series(column, [as_text(cell) for cell in table.values(column)], dtype=pl.String)


def _blank(column: str, reason: str) -> pl.Expr:
    empty = pl.col(column).is_null() | (pl.col(column).str.strip_chars() == "")
    return pl.when(empty).then(pl.lit(reason)).otherwise(None)


def _unclear(table: RawTable, shape: str, **found: str | None) -> DataError:
    missing = ", ".join(f"`{field}`" for field, column in found.items() if column is None)
    example = ", ".join(f"{field}: COLUMN" for field in found)
    known = ", ".join(table.frame.columns)
    return DataError(
        "D08", file=table.path, line=1, shape=shape, missing=missing, known=known, example=example
    )
