from __future__ import annotations

from pathlib import Path

from tagged_frames import bio, tagged

from tunesmith.data.hygiene.untagged import untagged


def test_a_name_left_out_once_is_found_as_a_whole_word() -> None:
    often = ["we saw [Rome|LOC] again"] * 6
    issues = untagged(tagged(*often, "é Rome, too", "Romeo and Jerome"))
    assert [(i.row, i.given, i.suggested) for i in issues] == [(6, "Rome", "LOC")]
    assert issues[0].detail == {"start": 2, "end": 6, "count": 6, "total": 7}
    assert issues[0].score == 6 / 7


def test_chinese_names_stand_in_the_middle_of_text() -> None:
    issues = untagged(tagged(*["他在[北京|LOC]工作"] * 4, "我爱北京吃的"))
    assert [(i.row, i.detail["start"]) for i in issues] == [(4, 2)]


def test_what_is_mostly_untagged_is_an_ordinary_word() -> None:
    assert untagged(tagged(*["[May|PER] spoke"] * 3, *["May I?"] * 3)) == []
    assert untagged(tagged("no names at all")) == []


def test_a_name_inside_a_longer_one_is_tagged() -> None:
    assert untagged(tagged(*["in [Rome|LOC]"] * 6, "at [Bank of Rome|ORG]")) == []


def test_names_left_out_of_a_real_corpus(shared_data: Path) -> None:
    frame = bio(shared_data / "ner_wnut17" / "wnut17train.conll", word=0, tag=1, between=" ")
    issues = untagged(frame)
    assert {issue.given for issue in issues} == {"Justin", "NY", "Allah", "Lady Gaga", "LA"}
    for issue in issues:
        text = frame["text"][issue.row]
        assert text[int(issue.detail["start"]) : int(issue.detail["end"])] == issue.given
