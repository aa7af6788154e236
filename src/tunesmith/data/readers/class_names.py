"""Names of class labels which a data set keeps as numbers, as Hugging Face data sets describe them.

The description is in the metadata of a Parquet file, or in `dataset_info.json` beside an Arrow file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

Names = Sequence[str]
INFO = "dataset_info.json"


def of(path: Path, *, parquet: bool) -> dict[str, Names]:
    """For each column of class labels, or of lists of them, the names by number."""
    try:
        features = _in_parquet(path) if parquet else {}
        features = features or json.loads((path.parent / INFO).read_text("utf-8")).get("features")
    except (OSError, ValueError, AttributeError, LookupError, TypeError, pl.exceptions.PolarsError):
        return {}
    if not isinstance(features, dict):
        return {}
    found = {column: _names(feature) for column, feature in features.items()}
    return {column: names for column, names in found.items() if names}


def _in_parquet(path: Path) -> Any:
    text = pl.read_parquet_metadata(path).get("huggingface")
    return json.loads(text)["info"]["features"] if text else None


def _names(feature: Any) -> Names:
    if not isinstance(feature, dict):
        return ()
    names = feature.get("names") if feature.get("_type") == "ClassLabel" else None
    if names is None:
        return _names(feature.get("feature"))
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else ()


def named(frame: pl.DataFrame, names: Mapping[str, Names]) -> pl.DataFrame:
    """The frame with names for the numbers; a number without name, such as -1 for none, becomes null."""
    changes = [
        _named(pl.col(column), frame.schema[column], known)
        for column, known in names.items()
        if column in frame.columns
    ]
    return frame.with_columns(changes)


def _named(column: pl.Expr, dtype: pl.DataType, names: Names) -> pl.Expr:
    if dtype.is_integer():
        numbers = list(range(len(names)))
        return column.cast(pl.Int64).replace_strict(
            numbers, list(names), default=None, return_dtype=pl.String
        )
    if isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.DataType):
        return column.list.eval(_named(pl.element(), dtype.inner, names))
    return column
