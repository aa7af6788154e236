"""Triplets and scored pairs are found by their columns, and read."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tunesmith.core.recipe import Data
from tunesmith.data.mapping import mapper, recognise
from tunesmith.data.reading import open_file
from tunesmith.workflow.settling import task_of

TRIPLETS = "anchor,positive,negative\ncat,kitten,car\ndog,,bus\nsun,star,\n"
SCORED = "sentence1\tsentence2\tscore\ta\ncat\tkitten\t4.5\tx\ncat\tcar\tmany\tx\n\tcar\t1\tx\n"


@pytest.mark.parametrize(
    ("name", "content", "shape", "bad"),
    [
        ("a.csv", TRIPLETS, "contrasted", [None, "empty_target", "empty_target"]),
        ("a.tsv", SCORED.replace("many", "0.5"), "compared", [None, None, "empty_source"]),
    ],
)
def test_columns_say_which_shape_the_rows_have(
    tmp_path: Path, name: str, content: str, shape: str, bad: list[str | None]
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    sample = open_file(tmp_path / name).sample
    assert recognise(sample) == shape
    assert mapper(sample, shape, {})(sample)["_bad"].to_list() == bad
    assert task_of("embed", Data.model_validate({"source": name}), tmp_path).shape == shape


def test_fields_name_the_columns_and_a_score_that_is_none_is_bad(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text(SCORED.replace("sentence", "s"), encoding="utf-8")
    fields = {"source": "s1", "target": "s2", "score": "score"}
    data = Data.model_validate({"source": "a.tsv", "fields": fields})
    assert task_of("embed", data, tmp_path).shape == "compared"
    sample = open_file(tmp_path / "a.tsv").sample
    frame: pl.DataFrame = mapper(sample, "compared", fields)(sample)
    assert frame["_bad"].to_list() == [None, "bad_score", "empty_source"]
    assert frame["score"][0] == 4.5
