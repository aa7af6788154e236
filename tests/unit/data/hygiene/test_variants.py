from __future__ import annotations

import polars as pl

from tunesmith.data.hygiene.variants import label_variants


def test_the_rarer_spelling_of_a_label_is_an_issue() -> None:
    labels = ["Card Lost", "card_lost", "card_lost", "card_lost", "other", None]
    issues = label_variants(pl.DataFrame({"_row": range(6), "label": labels}))
    assert [(i.row, i.given, i.suggested, i.score) for i in issues] == [(0, "Card Lost", "card_lost", 0.75)]


def test_each_of_many_labels_is_looked_at() -> None:
    frame = pl.DataFrame({"_row": [4, 5, 6], "labels": [["a", "B"], ["b", "a"], ["b"]]})
    assert [(i.row, i.given, i.suggested) for i in label_variants(frame)] == [(4, "B", "b")]
