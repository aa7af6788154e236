"""What is the same in two texts is found, in long ones too, and in time."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.data.alignment import aligned
from tunesmith.data.offsets import Moved


@given(st.text("ab中", max_size=12), st.text("ab中", max_size=12))
def test_the_stretches_are_all_of_both_in_order(old: str, new: str) -> None:
    edges = aligned(old, new)
    assert "".join(old[a:b] for a, b, _, _ in edges) == old
    assert "".join(new[c:d] for _, _, c, d in edges) == new


def test_every_place_of_a_long_text_that_changes_everywhere_is_found(shared_data: Path) -> None:
    text = (shared_data / "text_alice" / "11-0.txt").read_text("utf-8")[:60_000]
    after = text.replace("Alice", "[NAME]").replace("\n\n", "\n")
    began = time.process_time()
    moved = Moved(text, after)
    assert time.process_time() - began < 10
    places = [at for at in range(len(text)) if text.startswith("Rabbit", at)]
    assert len(places) > 10
    for at in places:
        start, end = moved.start(at), moved.end(at + 6)
        assert (start, end) != (None, None)
        assert after[start:end] == "Rabbit"


@pytest.mark.parametrize("alphabet", ["的一是", "".join(map(chr, range(0x4E00, 0x4F00)))])
def test_a_long_chinese_text_takes_no_longer_for_its_length_squared(alphabet: str) -> None:
    generator = random.Random(3)
    text = "".join(generator.choice(alphabet) for _ in range(20_000))
    after = "".join(c + "。" * (generator.random() < 0.1) for c in text)
    began = time.process_time()
    edges = aligned(list(text), list(after))
    assert time.process_time() - began < 10
    assert "".join(after[c:d] for _, _, c, d in edges) == after


def test_a_line_of_signs_takes_no_longer() -> None:
    began = time.process_time()
    for count in (290, 5000):
        assert aligned("-" * count, "- " * (count // 2))[-1][1::2] == (count, count)
    assert time.process_time() - began < 5


def test_what_cannot_be_compared_in_time_is_lost_not_guessed() -> None:
    moved = Moved("中文" * 3000, "文字中" * 2500)
    assert moved.start(3001) is None
    assert moved.end(3001) is None
    assert (moved.start(0), moved.end(6000)) == (0, 7500)
