"""What is wrong with texts is found where it was put, and nowhere else."""

from __future__ import annotations

import numpy as np
import polars as pl

from tunesmith.data.profile import quality


def texts(*values: str) -> pl.DataFrame:
    return pl.DataFrame({"_row": range(len(values)), "text": values}, schema_overrides={"_row": pl.Int64})


def test_each_cleaner_is_tried_by_itself() -> None:
    effects = quality.Effects()
    effects.add(texts("plain", "<p>bold</p>", "write to li@example.com"))
    effects.add(texts("ｗｉｄｅ").with_columns(_row=pl.lit(3, pl.Int64)))
    found = effects.result()
    changed = {name: effect["changed"] for name, effect in found.items()}
    assert changed == {
        "normalise": 1,
        "fix_mojibake": 0,
        "strip_html": 1,
        "mask_pii": 1,
        "drop_repetitive": 0,
    }
    assert found["strip_html"]["examples"] == [{"row": 1, "before": "<p>bold</p>", "after": "bold"}]
    assert found["mask_pii"]["counts"] == {"EMAIL": 1}


def test_no_example_shows_personal_data() -> None:
    effects = quality.Effects()
    effects.add(texts("x" * 200 + " li@example.com <b>now</b>"))
    assert "li@example.com" not in str(effects.result())
    assert "[EMAIL]" in str(effects.result()["strip_html"]["examples"])


def test_a_dropped_row_is_counted_as_dropped() -> None:
    effects = quality.Effects()
    effects.add(texts("the same line again\n" * 40))
    found = effects.result()["drop_repetitive"]
    assert (found["changed"], found["dropped"], found["examples"]) == (0, 1, [{"row": 0}])


def test_damaged_characters() -> None:
    damage = quality.Damage()
    damage.add(texts("fine", "caf\ufffd", "急\ue000"))
    assert damage.result() == {"rows": 2, "examples": [{"row": 1}, {"row": 2}]}


def test_a_stray_language_is_odd_among_many() -> None:
    sample = texts(*["这是一个关于银行卡的普通问题"] * 40, "This sentence is written in English, you see")
    found = quality.languages(sample)
    assert (found["main"], found["odd"], found["odd_rows"]) == (["zh"], 1, [{"row": 40, "language": "en"}])


def test_rare_characters_are_rare_among_many_rows_only() -> None:
    strange = "ཨོཾམཎིཔདྨེཧཱུྃ"
    assert quality.rare_characters(texts("usual", strange))["rows"] == 0
    found = quality.rare_characters(texts(*["the usual words"] * 1_999, strange))
    assert (found["rows"], found["examples"][0]["row"]) == (1, 1_999)


def test_lengths_far_from_the_usual_are_odd() -> None:
    lengths = np.array([50, 60, 55, 45] * 50 + [5_000, 1], np.int32)
    found = quality.odd_lengths(np.arange(len(lengths)), lengths)
    assert found["long"] == {"rows": 1, "examples": [{"row": 200, "characters": 5_000}]}
    assert found["short"] == {"rows": 1, "examples": [{"row": 201, "characters": 1}]}


def test_rows_of_one_length_are_not_odd() -> None:
    lengths = np.array([50] * 100 + [53], np.int32)
    found = quality.odd_lengths(np.arange(101), lengths)
    assert (found["long"]["rows"], found["short"]["rows"]) == (0, 0)
