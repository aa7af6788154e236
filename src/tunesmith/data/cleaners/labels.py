"""Labels: spelled in one way, variants of the same label told, and rows without one dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl

from tunesmith.data.clean import Cleaned, drop_where
from tunesmith.data.cleaning import Verdict, Whole

Style = Literal["keep", "lower", "snake"]


def drop_unlabelled(frame: pl.DataFrame) -> Cleaned:
    """Rows without a label are dropped; an empty list of labels is an answer and stays."""
    name = next((name for name in ("label", "labels") if name in frame.columns), None)
    return Cleaned(frame=frame) if name is None else drop_where(frame, frame[name].is_null(), "unlabelled")


def normalise_labels(
    frame: pl.DataFrame,
    *,
    style: Style = "keep",
    rename: Mapping[str, str] | None = None,
    missing: tuple[str, ...] = ("N/A", "#N/A", "NaN", "null"),
) -> pl.DataFrame:
    """Labels in half-width letters, without spaces around them, in one style.

    `lower` makes letters small, `snake` also makes underscores of spaces and hyphens. `rename` gives labels
    other names and `missing` says which are none, both whatever the case, width and separators.
    """
    if "label" in frame.columns:
        return frame.with_columns(_spelled(frame["label"], style, rename or {}, missing))
    if "labels" not in frame.columns or frame["labels"].explode().is_null().all():
        return frame
    rows = frame.select("labels").with_row_index("_at")
    each = rows.filter(pl.col("labels").list.len() > 0).explode("labels")
    each = each.with_columns(_spelled(each["labels"], style, rename or {}, missing))
    lists = (
        each.unique(maintain_order=True)
        .group_by("_at", maintain_order=True)
        .agg(_new=pl.col("labels").drop_nulls())
    )
    joined = rows.join(lists, on="_at", how="left", maintain_order="left")
    return frame.with_columns(joined.select(labels=pl.coalesce("_new", "labels"))["labels"])


def _spelled(
    labels: pl.Series, style: Style, rename: Mapping[str, str], missing: tuple[str, ...]
) -> pl.Series:
    none = label_key(pl.Series(["", *missing], dtype=pl.String))
    renamed = {label_key(pl.Series([old]))[0]: new for old, new in rename.items()}
    keys = label_key(labels)
    named = keys.replace_strict(renamed, default=None, return_dtype=pl.String)
    spelled = pl.select(pl.coalesce(named, _styled(labels, style))).to_series()
    kept = pl.when(keys.is_in(none.implode())).then(None).otherwise(spelled)
    return pl.select(kept.alias(labels.name)).to_series()


def _styled(labels: pl.Series, style: Style) -> pl.Series:
    tidy = labels.str.normalize("NFKC").str.replace_all(r"\s+", " ").str.strip_chars()
    if style != "keep":
        tidy = tidy.str.to_lowercase()
    return _joined(tidy) if style == "snake" else tidy


def _joined(labels: pl.Series) -> pl.Series:
    """Words of a label joined by underscores; a hyphen before a number is its sign and stays."""
    for _ in range(2):  # words of one letter are between two separators
        labels = labels.str.replace_all(r"([\p{L}\p{N}])[\s_\-‐-―]+([\p{L}\p{N}])", "${1}_${2}")
    stripped = labels.str.strip_chars("_ ")
    # A label of nothing but separators is a label of its own.
    return pl.select(pl.when(stripped == "").then(labels).otherwise(stripped).alias(labels.name)).to_series()


class MergeLabels(Whole):
    """Labels that differ only in case, width, spaces, hyphens and underscores get the most usual spelling."""

    together: ClassVar[bool] = True

    def __init__(self, folder: Path) -> None:
        self._counts: Counter[str] = Counter()

    def see(self, frame: pl.DataFrame) -> None:
        """Count the spellings of the next rows."""
        for name in ("label", "labels"):
            if name in frame.columns:
                labels = frame[name].explode() if name == "labels" else frame[name]
                self._counts.update(dict(labels.drop_nulls().value_counts().iter_rows()))

    def verdict(self) -> Verdict:
        """No row goes."""
        return Verdict()

    def close(self) -> None:
        """There are no files."""

    def change(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows with their labels merged."""
        usual = canonical(self._counts)
        if "label" in frame.columns:
            return frame.with_columns(pl.col("label").replace(usual))
        if "labels" in frame.columns:
            each = pl.element().replace(usual).unique(maintain_order=True)
            return frame.with_columns(pl.col("labels").list.eval(each))
        return frame


def label_key(labels: pl.Series) -> pl.Series:
    """What variants of a label have in common: case, width, spaces, hyphens and underscores are folded."""
    return _joined(labels.str.normalize("NFKC").str.to_lowercase())


def canonical(counts: Mapping[str, int]) -> dict[str, str]:
    """For every label that has variants, its most usual spelling; of equals the first by code points.

    `counts` says how often each spelling occurs. Labels that are spelled one way are left out.
    """
    spellings = sorted(counts, key=lambda label: (-counts[label], label))
    keys = label_key(pl.Series(spellings, dtype=pl.String)).to_list()
    usual: dict[str, str] = {}
    for key, label in zip(keys, spellings, strict=True):
        usual.setdefault(key, label)
    return {label: usual[key] for key, label in zip(keys, spellings, strict=True) if usual[key] != label}
