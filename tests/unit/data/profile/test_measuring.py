"""The whole profile: the same bytes whatever the batches, numbers that agree, memory that does not grow."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tunesmith.data.profile import File, Profile, Row

Measured = Callable[..., dict[str, Any]]
Mapped = Callable[[str, str], pl.DataFrame]

REAL = [
    ("labelled", "cls_csl_zh/cls_ctg_dev.tsv"),
    ("messages", "sft_alpaca_demo/alpaca_zh_demo.json"),
    ("tagged", "ner_uner_zh/zh_gsdsimp-ud-dev.iob2"),
    ("answered", "qa_xquad/xquad.en.visible.json"),
    ("preferred", "pref_llamafactory_demo/dpo_en_demo.json"),
    ("rated", "pref_llamafactory_demo/kto_en_demo.json"),
    ("paired", "mt_tatoeba_en_zh/cmn.tsv"),
    ("text", "text_alice/11-0.txt"),
]


@pytest.mark.parametrize(("shape", "path"), REAL, ids=[shape for shape, _ in REAL])
def test_batches_do_not_change_a_byte(profile_of: Measured, mapped: Mapped, shape: str, path: str) -> None:
    frame = mapped(path, shape).head(400)
    whole = json.dumps(profile_of(shape, batch=400, context=100, all=frame), ensure_ascii=False)
    parts = json.dumps(profile_of(shape, batch=37, context=100, all=frame), ensure_ascii=False)
    assert parts == whole


def test_numbers_agree_with_a_plain_count(profile_of: Measured, mapped: Mapped) -> None:
    train, test = mapped("cls_banking77/train.csv", "labelled"), mapped("cls_banking77/test.csv", "labelled")
    found = profile_of("labelled", context=20, train=train, test=test)
    texts = [*train["text"], *test["text"]]
    assert found["rows"] == 13_083
    assert found["splits"] == {"train": 10_003, "test": 3_080}
    lengths = found["lengths"]
    assert lengths["characters"]["total"] == sum(map(len, texts))
    tokens = [len(text.split()) for text in texts]
    assert lengths["tokens"]["truncated"] == sum(count > 20 for count in tokens)
    assert lengths["tokens"]["lost"] == sum(max(0, count - 20) for count in tokens)
    assert found["labels"]["count"] == 77
    same = {" ".join(text.casefold().split()) for text in train["text"]}
    exact = sum(" ".join(text.casefold().split()) in same for text in test["text"])
    assert found["overlap"]["splits"]["test"]["exact"] == exact


def test_the_contract_of_the_command_line(profile_of: Measured) -> None:
    found = profile_of("text", all=pl.DataFrame({"text": ["one", "two"]}))
    assert {"rows", "columns", "encoding", "format", "mapping", "problems"} <= found.keys()
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_no_rows_are_a_profile_too() -> None:
    found = Profile("labelled").result([File(path=Path("rows.csv"))], lambda rows: [])
    assert (found["rows"], found["labels"]["count"]) == (0, 0)


@pytest.mark.faults
def test_memory_does_not_grow_with_the_texts() -> None:
    profile = Profile("text")
    letters = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz      ", np.uint8)
    random = np.random.default_rng(0)
    peaks = []
    for step in range(24):
        rows = pl.Series("_row", range(step * 300, step * 300 + 300), dtype=pl.Int64)
        texts = [row.tobytes().decode() for row in letters[random.integers(0, 32, (300, 6_000))]]
        profile.add(pl.DataFrame([rows, pl.Series("text", texts)]))
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    # The sample of 2,000 rows is full after seven batches; the other 30 MB leave nothing behind.
    assert peaks[-1] - peaks[8] < 15
    found = profile.result([], lambda rows: [Row(file="a", line=row, text="x") for row in rows])
    assert found["sample"] == {"rows": 2_000, "is_all": False, "seed": 0}
