from __future__ import annotations

import pytest

from tunesmith.cli import layout


@pytest.mark.parametrize(("words", "columns"), [("abc", 3), ("模型", 4), ("a模，", 5), ("é", 1), ("", 0)])
def test_width_counts_columns_and_not_characters(words, columns):
    assert layout.width(words) == columns


def test_lines_are_full_and_fit():
    words = "数据文件：CSV、TSV、JSON Lines、Parquet 或文本；省略则写出待填写的配方，然后用它继续。"
    lines = layout.wrap(words, 20)
    assert max(map(layout.width, lines)) <= 20
    assert "".join(lines).replace(" ", "") == words.replace(" ", "")


def test_no_line_begins_with_closing_punctuation():
    for columns in range(6, 30):
        for line in layout.wrap("先读取，再清洗；最后（也许）训练。结束！", columns):
            assert line[0] not in "，。；：、！？）"


def test_a_word_longer_than_the_line_is_kept_whole():
    assert layout.wrap("see https://example.org/a/long/path now", 10) == [
        "see", "https://example.org/a/long/path", "now",
    ]  # fmt: skip


def test_values_stand_under_each_other_and_empty_ones_are_left_out():
    lines = list(layout.pairs([("名称", "router"), ("licence", ""), ("id", "one two three")], 20))
    assert lines == ["  名称  router", "  id    one two", "        three"]


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0"), (260, "260"), (26_512, "26.5k"), (22_713_728, "22.7M"), (1.544e9, "1.54B")]
)
def test_counts_are_said_as_people_say_them(number, said):
    assert layout.count(int(number)) == said
