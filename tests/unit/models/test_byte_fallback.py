"""The tokenizer that falls back to bytes: every text comes back, and common characters are single tokens."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from tunesmith.models import byte_fallback
from tunesmith.models.detokenizer import Detokenizer

TEXTS = (
    "the cat sat on the mat and the dog sat by the door",
    "小猫坐在门口，小狗坐在门边。",
    "你好，世界！",
    "In 2024 he bought 12 books.",
)
SPECIAL = ("<pad>", "<s>", "</s>")
MADE = byte_fallback.train(TEXTS * 4, vocab=400, special=SPECIAL)


def ids(tokenizer: Tokenizer, text: str) -> list[int]:
    return list(tokenizer.encode(text, add_special_tokens=False).ids)


@settings(max_examples=200, deadline=None)
@given(st.text().filter(lambda text: "▁" not in text and not any(token in text for token in SPECIAL)))
def test_every_text_comes_back(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    assert MADE.decode(ids(MADE, text)) == text


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet="猫狗 catdog龘🙂\n", max_size=20))
def test_a_stream_never_shows_half_a_character(text: str) -> None:
    stream = Detokenizer(MADE)
    pieces = [stream.feed(token) for token in ids(MADE, text)]
    assert "�" not in "".join(pieces)
    assert "".join([*pieces, stream.flush()]) == text


def test_special_tokens_come_first_and_then_all_bytes() -> None:
    assert [MADE.token_to_id(token) for token in (*SPECIAL, "<0x00>", "<0xFF>")] == [0, 1, 2, 3, 258]
    assert MADE.get_vocab_size() <= 400


def test_known_characters_are_tokens_and_unknown_ones_are_bytes() -> None:
    assert MADE.token_to_id("猫") is not None
    assert all(token.startswith("<0x") for token in MADE.encode("龘").tokens)


def test_digits_stay_single() -> None:
    assert [token.strip("▁") for token in MADE.encode("2024").tokens] == list("2024")


@pytest.mark.parametrize("token", SPECIAL)
def test_a_special_token_in_text_is_one_token(token: str) -> None:
    assert ids(MADE, f"cat{token}dog").count(MADE.token_to_id(token)) == 1


def test_the_same_texts_give_the_same_file() -> None:
    rare = [chr(code) for code in range(0x4E00, 0x4E00 + 500)]
    files = {byte_fallback.train([*TEXTS, *rare], vocab=400, special=SPECIAL).to_str() for _ in range(4)}
    assert len(files) == 1
