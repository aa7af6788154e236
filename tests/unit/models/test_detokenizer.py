"""Text while it arrives: complete characters only, and joined exactly what the tokenizer decodes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from tunesmith.models.detokenizer import Detokenizer

TEXTS = [
    "Once upon a time, there was a little girl.",
    "你好，世界！今天天气很好。",
    "mixed 中文 and English 🙂👨‍👩‍👧 emoji",
    "  leading,  double  and trailing  ",
    "tabs\tand\nnewlines\n\n",
    "naïve café — “quotes”",
    "",
]
NAMES = ("stories260K-hf", "gpt2-tokenizer")  # byte fallback with Metaspace; byte-level BPE


@cache
def load(shared_data: Path, name: str) -> Tokenizer:
    return Tokenizer.from_file(str(shared_data / "weights" / name / "tokenizer.json"))


@pytest.fixture(params=NAMES)
def tokenizer(request: pytest.FixtureRequest, shared_data: Path) -> Tokenizer:
    return load(shared_data, request.param)


@pytest.fixture
def byte_fallback(shared_data: Path) -> Tokenizer:
    return load(shared_data, "stories260K-hf")


def deltas(tokenizer: Tokenizer, ids: list[int], after: list[int] | None = None) -> list[str]:
    detokenizer = Detokenizer(tokenizer, after or ())
    return [*(detokenizer.feed(token) for token in ids), detokenizer.flush()]


@pytest.mark.parametrize("text", TEXTS)
def test_deltas_join_to_the_full_decode(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text).ids
    assert "".join(deltas(tokenizer, ids)) == tokenizer.decode(ids)


@pytest.mark.parametrize("name", NAMES)
@given(text=st.text(max_size=40))
def test_deltas_join_to_the_full_decode_for_any_text(shared_data: Path, name: str, text: str) -> None:
    tokenizer = load(shared_data, name)
    ids = tokenizer.encode(text).ids
    assert "".join(deltas(tokenizer, ids)) == tokenizer.decode(ids)


def test_no_delta_shows_half_a_character(tokenizer: Tokenizer) -> None:
    text = "你好 🙂 中文"
    assert not any("\ufffd" in delta for delta in deltas(tokenizer, tokenizer.encode(text).ids))


def test_characters_are_shown_as_soon_as_they_are_complete(byte_fallback: Tokenizer) -> None:
    # Without <s> and the space: three bytes for each character.
    ids = byte_fallback.encode("你好").ids[2:]
    assert deltas(byte_fallback, ids) == ["", "", "你", "", "", "好", ""]


def test_an_answer_cut_inside_a_character_keeps_what_was_complete(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("你好").ids[:-1]
    text = "".join(deltas(tokenizer, ids))
    assert text.startswith("你")
    assert set(text[1:]) == {"\ufffd"}


def test_a_continuation_keeps_its_leading_space(tokenizer: Tokenizer) -> None:
    whole = tokenizer.encode("Once upon a time there was")
    before = tokenizer.encode("Once upon a time").ids
    assert whole.ids[: len(before)] == before
    assert "".join(deltas(tokenizer, whole.ids[len(before) :], before)) == " there was"


def test_broken_bytes_do_not_hold_text_back_forever(byte_fallback: Tokenizer) -> None:
    lone = byte_fallback.token_to_id("<0xE4>")
    assert any(deltas(byte_fallback, [lone] * 200)[:-1])


def test_special_tokens_say_nothing(tokenizer: Tokenizer) -> None:
    special = next(i for i, token in tokenizer.get_added_tokens_decoder().items() if token.special)
    ids = tokenizer.encode("a b", add_special_tokens=False).ids
    assert "".join(deltas(tokenizer, [ids[0], special, *ids[1:], special])) == tokenizer.decode(ids)
