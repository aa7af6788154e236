"""What is told of a tokenizer is what it is: how it cuts text, how many tokens it has."""

from __future__ import annotations

from typing import get_args

import pytest

from tunesmith.core.recipe import TokenizerKind
from tunesmith.models import tokenizer, vocabulary


@pytest.mark.parametrize("kind", get_args(TokenizerKind))
def test_a_tokenizer_trained_here_is_told_by_the_name_it_was_asked_for(tmp_path, kind):
    made = tokenizer.train(["The parcel is late.", "快递三天没动了。"] * 9, vocab=700, kind=kind)
    tokenizer.save(made, tmp_path, context=64, special=tokenizer.ROLES)
    found = vocabulary.read(tmp_path)
    assert (found.kind, found.size) == (kind, made.get_vocab_size())
    assert set(found.special) == set(tokenizer.SPECIAL)


def test_tokenizers_of_others_are_told_too(shared_data):
    weights = shared_data / "weights"
    gpt2, bert = (vocabulary.read(weights / name) for name in ("gpt2-tokenizer", "bert-base-chinese-vocab"))
    assert (gpt2.kind, gpt2.size) == ("bpe", 50257)
    assert (bert.kind, bert.size) == ("wordpiece", 21128)
    assert "[MASK]" in bert.special
    assert vocabulary.read(weights) is None
