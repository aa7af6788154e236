"""Which column is the text and which the label, by name, else by content when only one answer is possible."""

from __future__ import annotations

import polars as pl

from tunesmith.data import names
from tunesmith.data.table import RawTable

_TIMES_LONGER = 2
_MOST_CLASSES = 0.5
_LONGEST_LABEL = 64
_SENTENCE = r"\s|[.!?。！？]$|\p{Han}"


def text_column(table: RawTable, taken: tuple[str, ...]) -> str | None:
    """The column named like a text, else the one whose values are clearly the longest."""
    free = [column for column in table.frame.columns if column not in taken]
    if named := names.first_of(names.TEXT, free):
        return named
    texts = [name for name in free if _is_text(table, name) and not _is_named_label(name)]
    # What says the same in every row, or a few things again and again, is a class and no text.
    texts = [name for name in texts if table.frame[name].n_unique() > 1] or texts
    texts = [name for name in texts if not _recurs(table.frame[name])] or texts
    lengths = sorted(((_mean_length(table.frame[name]), name) for name in texts), reverse=True)
    if not lengths:
        return None
    longest, column = lengths[0]
    second = lengths[1][0] if len(lengths) > 1 else 0.0
    return column if longest > 0 and longest >= _TIMES_LONGER * second else None


def label_column(table: RawTable, taken: tuple[str, ...]) -> str | None:
    """The column named like a label, else the only one with few, short, recurring values."""
    free = [column for column in table.frame.columns if column not in taken]
    if named := names.first_of(names.LABEL, free):
        return named
    classes = [name for name in free if name not in table.nested and _recurs(table.frame[name])]
    classes = classes or [name for name in free if _is_text(table, name) and _are_names(table.frame[name])]
    return classes[0] if len(classes) == 1 else None


def varied_texts(table: RawTable) -> list[str]:
    """The columns of text of sentences, which do not recur."""
    texts = [name for name in table.frame.columns if _is_text(table, name)]
    varied = [name for name in texts if table.frame[name].n_unique() > min(1, table.frame.height - 1)]
    return [name for name in varied if not _recurs(table.frame[name]) and _are_sentences(table.frame[name])]


def _are_names(column: pl.Series) -> bool:
    """Words such as `card_arrival`, some of which recur."""
    texts = column.drop_nulls()
    words = texts.str.contains(r"^[^\s\d]\S*$") & (texts.str.len_chars() <= _LONGEST_LABEL)
    return len(texts) > 1 and bool(words.all()) and texts.n_unique() < len(texts)


def _are_sentences(column: pl.Series) -> bool:
    texts = column.drop_nulls()
    return float((texts.str.contains(_SENTENCE)).mean() or 0) > _MOST_CLASSES  # type: ignore[arg-type]


def _is_text(table: RawTable, column: str) -> bool:
    return table.frame[column].dtype == pl.String and column not in table.nested


def _is_named_label(column: str) -> bool:
    return column.strip().casefold() in names.LABEL


def _mean_length(column: pl.Series) -> float:
    lengths = column.str.len_chars().fill_null(0)
    return float(lengths.sum()) / max(1, len(lengths))


def _recurs(column: pl.Series) -> bool:
    texts = column.cast(pl.String).drop_nulls()
    distinct = texts.n_unique()
    few = 2 <= distinct <= max(2, int(_MOST_CLASSES * len(texts)))
    return few and _mean_length(texts) <= _LONGEST_LABEL
