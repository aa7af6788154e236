"""Tokenizers: what is trained here loses nothing, what is read from a folder neither cuts nor pads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from tunesmith.core.errors import ModelError
from tunesmith.models import tokenizer
from tunesmith.models.tokenizer import BOS, EOS, SPECIAL

TEXTS = [
    "The parcel is late.",
    "快递三天没动了，什么时候能到？",
    "I was charged twice!",
    "怎么多扣了我一笔钱？",
] * 3
TRAINED = tokenizer.train(TEXTS, vocab=400)


def plain(text: str) -> list[int]:
    return list(TRAINED.encode(text, add_special_tokens=False).ids)


@given(st.text(max_size=60))
def test_every_text_comes_back_as_it_was(text: str) -> None:
    if not any(special in text for special in SPECIAL):
        assert TRAINED.decode(plain(text), skip_special_tokens=False) == text


def test_chinese_is_never_unknown_even_where_no_such_character_was_seen() -> None:
    text = "龘靐齉𠮷，饕餮"
    assert None not in plain(text)
    assert TRAINED.decode(plain(text)) == text
    english = tokenizer.train(["only english"], vocab=300)
    assert english.decode(english.encode(text).ids) == text


def test_sequences_are_framed_unless_asked_not_to() -> None:
    bos, eos = TRAINED.token_to_id(BOS), TRAINED.token_to_id(EOS)
    ids = TRAINED.encode("hi").ids
    assert (ids[0], ids[-1]) == (bos, eos)
    assert plain("hi") == ids[1:-1]


def test_training_gives_the_same_tokenizer_every_time() -> None:
    assert tokenizer.train(TEXTS, vocab=400).to_str() == TRAINED.to_str()
    assert tokenizer.train(iter(TEXTS), vocab=400).to_str() == TRAINED.to_str()


def test_the_vocabulary_is_no_larger_than_asked_for() -> None:
    assert TRAINED.get_vocab_size() <= 400
    assert [TRAINED.token_to_id(token) for token in SPECIAL] == list(range(len(SPECIAL)))


def test_a_tokenizer_that_cuts_and_pads_is_loaded_without_both(tmp_path: Path) -> None:
    other = Tokenizer.from_str(TRAINED.to_str())
    other.enable_truncation(2)
    other.enable_padding(length=64)
    other.save(str(tmp_path / "tokenizer.json"))
    assert tokenizer.load(tmp_path).encode(TEXTS[0]).ids == TRAINED.encode(TEXTS[0]).ids


def test_what_is_saved_is_read_by_transformers_with_the_same_ids(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer.save(TRAINED, tmp_path, context=128, special={"bos_token": BOS, "eos_token": EOS})
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    assert theirs.model_max_length == 128
    assert theirs.eos_token == EOS
    for text in TEXTS[:4]:
        assert theirs(text)["input_ids"] == tokenizer.load(tmp_path).encode(text).ids


@pytest.mark.parametrize("content", [None, "", "{}", '{"model": {"type": "BPE"}}', "[" * 3000, "\x00\xff"])
def test_a_missing_or_damaged_file_is_told(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content, "utf-8")
    with pytest.raises(ModelError) as caught:
        tokenizer.load(tmp_path)
    assert caught.value.problems[0].code == "M05"


def test_special_tokens_are_read_in_both_forms(tmp_path: Path) -> None:
    (tmp_path / "special_tokens_map.json").write_text(
        json.dumps({"bos_token": {"content": "<s>"}, "pad_token": None}), "utf-8"
    )
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"eos_token": "</s>", "x": "y"}), "utf-8")
    assert tokenizer.special_tokens(tmp_path) == {"bos_token": "<s>", "eos_token": "</s>"}


def test_characters_are_tokens_and_the_others_bytes():
    made = tokenizer.train(["To be, 或 not"], vocab=320, kind="characters")
    assert made.encode("be 或", add_special_tokens=False).tokens == ["b", "e", "▁", "或"]
    text = "zzz <0x41>\n𠮷"
    assert made.decode(made.encode(text).ids) == text
    # The commonest ones are kept where there is no room for all.
    few = tokenizer.train(["aaab"] + [chr(0x4E00 + i) for i in range(99)], vocab=300, kind="characters")
    assert {"a", "b"} < set(few.get_vocab())
    assert few.get_vocab_size() == 300
