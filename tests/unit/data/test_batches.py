"""A batch on its way keeps what its shape has no place for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.core.recipe import Data
from tunesmith.data.batches import REST
from tunesmith.data.pipeline import stream


def kept(path: Path, folder: Path, shape: str, **fields: str) -> list[dict[str, Any]]:
    data = Data.model_validate({"source": str(path), "fields": fields, "clean": [], "on_error": "drop"})
    streamed = stream(data, shape=shape, base=folder, folder=folder / "work", keep=True)
    frame = pl.concat(streamed.frames("all"))
    return [json.loads(text) for text in frame[REST]]


def test_a_column_that_is_called_like_one_of_the_shape_stays_under_another_name(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("message,text,label,text_1\nhello,a summary,x,1\nworld,another,y,2\n")
    found = kept(path, tmp_path, "labelled", text="message")
    assert found[0] == {"text_2": "a summary", "text_1": "1"}


def test_in_a_mixed_file_each_row_keeps_what_its_own_layout_did_not_take(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = [
        {"instruction": "Say hi", "output": "Hi", "question": "meta", "id": 1},
        {"question": "Who?", "answer": "Ann", "output": "log", "id": 2},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    assert kept(path, tmp_path, "messages") == [{"question": "meta", "id": 1}, {"output": "log", "id": 2}]


def test_a_number_that_json_has_no_word_for_is_kept_as_null(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"text": ["a", "b"], "score": [float("nan"), 1.5]}).write_parquet(path)
    assert kept(path, tmp_path, "text") == [{"score": None}, {"score": 1.5}]
