"""Labels that are another label but for case, width, spaces and hyphens."""

from __future__ import annotations

import polars as pl

from tunesmith.data.cleaners.labels import canonical
from tunesmith.data.hygiene.issue import Issue


def label_variants(frame: pl.DataFrame) -> list[Issue]:
    """An issue for each row whose label is the rarer spelling of another; shapes `labelled`, `multilabelled`.

    The score is the share of the usual spelling among all rows of the two.
    """
    labels = _labels(frame)
    counts = dict(labels["label"].value_counts(sort=True).iter_rows())
    usual = canonical(counts)
    return [
        Issue(
            row=row,
            kind="label_variant",
            score=counts[usual[label]] / (counts[usual[label]] + counts[label]),
            given=label,
            suggested=usual[label],
            detail={"rows": counts[label], "others": counts[usual[label]]},
        )
        for row, label in labels.iter_rows()
        if label in usual
    ]


def _labels(frame: pl.DataFrame) -> pl.DataFrame:
    """One row for each label given: `_row`, `label`."""
    if "label" in frame.columns:
        return frame.select("_row", "label").drop_nulls("label")
    labels = frame.select("_row", label="labels").explode("label", empty_as_null=False, keep_nulls=False)
    return labels.drop_nulls("label")
