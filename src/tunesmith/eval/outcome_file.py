"""Outcomes on disk: what a model did on each row, to be compared with another when neither is at hand.

A Parquet file with a column for each field that rows have, and `id`, which is the same for the same row
wherever it stands; what an outcome has once is in the metadata.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import numpy as np
import polars as pl

from tunesmith.core import durable
from tunesmith.core.errors import DataError
from tunesmith.eval.outcome import WHOLE, Outcome

_KINDS: Mapping[str, type[Any]] = {kind.__name__: kind for kind in get_args(Outcome)}


def write(path: Path, outcome: Outcome, ids: Mapping[int, int]) -> None:
    """Keep an outcome; `ids` gives the id of each ledger row.

    Raises:
        TunesmithError: C02 when the system refuses to write.
    """
    found = {field.name: getattr(outcome, field.name) for field in fields(outcome)}
    columns = {name: _column(name, v) for name, v in found.items() if name not in WHOLE and v is not None}
    columns["id"] = pl.Series("id", [ids[int(row)] for row in outcome.rows], dtype=pl.Int64)
    whole = {name: list(found[name]) for name in WHOLE if name in found}
    frame = pl.DataFrame(list(columns.values()))
    with durable.new_file(path) as temporary:
        frame.write_parquet(temporary, metadata={"kind": type(outcome).__name__, "whole": json.dumps(whole)})


def _column(name: str, values: Any) -> pl.Series:
    if isinstance(values, np.ndarray):
        return pl.Series(name, values)
    return pl.Series(name, [_nested(value) for value in values])


def _nested(value: Any) -> Any:
    """Entities as structs: a list of numbers and a text has no type."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_entity(one) for one in value]
    return value


def _entity(one: Any) -> Any:
    if not isinstance(one, tuple):
        return one
    return {"start": one[0], "end": one[1], "label": one[2]} if len(one) == 3 else list(one)


def read(path: Path) -> Outcome:
    """An outcome, with the ids of its rows as `rows`.

    Raises:
        DataError: C20 when there is none or it cannot be read.
    """
    try:
        said = pl.read_parquet_metadata(path)
        kind = _KINDS[said["kind"]]
        whole = {name: tuple(values) for name, values in json.loads(said["whole"]).items()}
        frame = pl.read_parquet(path)
        columns = {column.name: _values(column) for column in frame.drop("rows")}
        outcome: Outcome = kind(**whole, **{("rows" if n == "id" else n): v for n, v in columns.items()})
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise DataError("C20", file=path) from error
    return outcome


def _values(column: pl.Series) -> Any:
    if column.dtype.is_numeric() or isinstance(column.dtype, pl.Array | pl.Boolean):
        return column.to_numpy()
    values = column.to_list()
    if column.dtype == pl.String:
        return values
    return [[tuple(one.values()) if isinstance(one, dict) else one for one in row] for row in values]
