"""Parquet and Arrow files, and class labels that are kept as numbers."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import polars as pl
import pytest

from tunesmith.core.errors import DataError
from tunesmith.data.reading import open_file, read

FRAME = pl.DataFrame(
    {
        "text": ["a", None, "文"],
        "number": pl.Series([1, 2, None], dtype=pl.Int16),
        "share": pl.Series([0.5, None, 2.0], dtype=pl.Float32),
        "nested": [[{"role": "user"}], [], None],
        "day": [datetime.date(2024, 1, 2), None, None],
        "label": pl.Series([1, 0, -1], dtype=pl.Int64),
        "tags": [[0, 1], [], [1]],
        "kind": pl.Series(["x", "y", "x"], dtype=pl.Categorical),
    }
)
NAMES = {"names": ["no", "yes"], "_type": "ClassLabel"}
FEATURES = {"label": NAMES, "tags": {"feature": NAMES, "_type": "Sequence"}, "text": {"_type": "Value"}}


def save(path: Path, frame: pl.DataFrame) -> Path:
    """A frame as a file of the form that the name asks for."""
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    elif path.name.startswith("data-"):
        frame.write_ipc_stream(path)
    else:
        frame.write_ipc(path)
    return path


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "data-00000-of-00001.arrow", "a.feather"])
def test_columns_keep_their_values(tmp_path: Path, name: str) -> None:
    table = read(save(tmp_path / name, FRAME))
    assert table.lines == (1, 2, 3)
    assert table.frame.schema["number"] == pl.Int64
    assert table.values("share") == [0.5, None, 2.0]
    assert table.values("nested") == [[{"role": "user"}], [], None]
    assert table.values("day") == ["2024-01-02", None, None]
    assert table.values("label") == [1, 0, -1]
    assert table.values("kind") == ["x", "y", "x"]


@pytest.mark.parametrize("name", ["a.parquet", "data-00000-of-00001.arrow"])
def test_numbers_of_class_labels_become_their_names(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix == ".parquet":
        info = json.dumps({"info": {"features": FEATURES}})
        FRAME.write_parquet(path, metadata={"huggingface": info})
    else:
        save(path, FRAME)
        (tmp_path / "dataset_info.json").write_text(json.dumps({"features": FEATURES}), encoding="utf-8")
    table = read(path)
    assert table.values("label") == ["yes", "no", None]
    assert table.values("tags") == [["no", "yes"], [], ["yes"]]


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "data-00000-of-00001.arrow"])
def test_batches_are_small_and_in_order(tmp_path: Path, name: str) -> None:
    frame = pl.DataFrame({"text": [f"row {i} " * 10 for i in range(5000)]})
    file = open_file(save(tmp_path / name, frame), batch_bytes=20_000)
    batches = list(file.batches())
    assert len(batches) > 5
    assert [line for batch in batches for line in batch.lines] == list(range(1, 5001))
    assert pl.concat([batch.frame for batch in batches]).equals(frame)


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "data-00000-of-00001.arrow"])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, name: str) -> None:
    path = save(tmp_path / name, pl.DataFrame({"text": ["some words"] * 1000}))
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(DataError) as caught:
        read(path)
    assert caught.value.problems[0].code == "D03"
