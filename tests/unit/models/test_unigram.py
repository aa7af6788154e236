"""The unigram tokenizer: every text comes back, and the likeliest pieces are its tokens."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tunesmith.models import unigram

SPECIAL = ("<pad>", "<s>", "</s>")
TEXTS = (
    "the cat sat on the mat and the dog sat by the door",
    "小猫坐在门口，小狗坐在门边。",
    "12 books x<0x>",
) * 4
MADE = unigram.train(TEXTS, vocab=340, special=SPECIAL)


@settings(max_examples=200, deadline=None)
@given(st.text().filter(lambda text: "▁" not in text and not any(token in text for token in SPECIAL)))
@example("<0x41> <0xAA> <0x0A>")
@example("龘🙂\n\t  ÿ" * 20)
def test_every_text_comes_back(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    assert MADE.decode(MADE.encode(text).ids, skip_special_tokens=False) == text


@pytest.mark.parametrize("byte", [0, 65, 255])
def test_the_name_of_a_byte_in_a_text_is_not_that_byte(byte: int) -> None:
    name = f"<0x{byte:02X}>"
    assert MADE.encode(name).ids != [MADE.token_to_id(name)]


def test_a_text_is_cut_in_the_most_probable_way() -> None:
    assert MADE.encode("the cat").tokens[0] == "the"


def test_special_tokens_come_first_then_bytes_and_the_size_is_kept() -> None:
    assert [MADE.token_to_id(token) for token in (*SPECIAL, "<0x00>")] == [0, 1, 2, 3]
    assert MADE.get_vocab_size() <= 340


def test_a_vocabulary_with_little_room_keeps_the_commonest_characters() -> None:
    small = unigram.train([*TEXTS, "龘"], vocab=275, special=SPECIAL)
    assert small.get_vocab_size() <= 275
    assert small.token_to_id("t") is not None
    assert small.token_to_id("龘") is None


def test_the_same_texts_give_the_same_file() -> None:
    assert len({unigram.train(TEXTS, vocab=340, special=SPECIAL).to_str() for _ in range(3)}) == 1


def test_without_texts_all_is_bytes() -> None:
    empty = unigram.train([], vocab=300, special=SPECIAL)
    assert empty.decode(empty.encode("né").ids) == "né"
    assert empty.encode("né").tokens == [f"<0x{byte:02X}>" for byte in "né".encode()]
