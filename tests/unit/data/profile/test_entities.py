"""Spans: counted by label, with what they say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import polars as pl

from tunesmith.data.profile.entities import Entities


def test_real_spans_agree_with_a_plain_count(mapped: Callable[[str, str], pl.DataFrame]) -> None:
    frame = mapped("ner_uner_zh/zh_gsdsimp-ud-dev.iob2", "tagged")
    counted = Entities()
    for start in range(0, frame.height, 77):
        counted.add(frame[start : start + 77], "all")
    found = counted.result()
    spans = frame["spans"].to_list()
    assert {v["label"]: v["spans"] for v in found["values"]} == Counter(
        span["label"] for row in spans for span in row
    )
    assert found["rows_without"] == sum(not row for row in spans)
    texts = " ".join(frame["text"])
    assert all(example in texts for value in found["values"] for example in value["examples"])


def test_rows_without_spans_are_no_mistake() -> None:
    spans = pl.Series(
        [[]], dtype=pl.List(pl.Struct({"start": pl.Int64, "end": pl.Int64, "label": pl.String}))
    )
    counted = Entities()
    counted.add(pl.DataFrame({"text": ["nothing"], "spans": spans}), "all")
    assert counted.result() == {"spans": 0, "rows_without": 1, "rows_without_tokens": 0, "values": []}
