from __future__ import annotations

from pathlib import Path

import pytest
from tagged_frames import bio, tagged, with_spans

from tunesmith.data.hygiene.tags import wrong_tags


@pytest.mark.parametrize(
    ("surface", "meant"),
    [
        ("Paris ", "Paris"),
        ("，北京", "北京"),
        ("NFL)", "NFL"),
        ("《红楼梦》", None),
        ("Apple Inc.", None),
        ("Who Moved My Cheese?", None),
        ("...", None),
    ],
)
def test_spans_with_ragged_edges(surface: str, meant: str | None) -> None:
    issues = wrong_tags(tagged(f"in [{surface}|X] now"))
    assert [(issue.kind, issue.suggested) for issue in issues] == ([("tag_edges", meant)] if meant else [])


def test_crossing_spans_are_surer_mistakes_than_nested_ones() -> None:
    spans = [(0, 8, "ORG"), (4, 8, "LOC"), (5, 10, "PER")]
    issues = wrong_tags(with_spans("Bank Rome Li", spans))
    overlaps = [(i.detail["start"], i.score) for i in issues if i.kind == "tag_overlap"]
    assert overlaps == [(4, 0.5), (5, 1.0)]
    assert wrong_tags(with_spans("ab cd", [(0, 2, "X"), (3, 5, "X")])) == []


def test_a_name_labelled_otherwise_than_nearly_everywhere() -> None:
    frame = tagged(
        *["in [Paris|LOC] today"] * 5, "[Paris|PER] Hilton", *["at [8|TIME]"] * 5, "[8|COUNT] people"
    )
    issues = wrong_tags(frame)
    assert [(i.row, i.kind, i.given, i.suggested) for i in issues] == [(5, "tag_disagrees", "PER", "LOC")]


def test_a_second_meaning_is_no_mistake() -> None:
    assert wrong_tags(tagged(*["[Java|LANG]"] * 20, *["[Java|LOC]"] * 6)) == []


def test_edges_found_in_a_real_corpus_are_tags_that_slipped(shared_data: Path) -> None:
    frame = bio(shared_data / "ner_uner_zh" / "zh_gsdsimp-ud-train.iob2", word=1, tag=2, between="")
    edges = {issue.given for issue in wrong_tags(frame) if issue.kind == "tag_edges"}
    assert edges == {"年）", "层，", "（888", "（沉水", "贡献，", "天，", "，主要", "起，"}
