"""What single tokens add to a text."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from tunesmith.models import tokenizer as made
from tunesmith.models.token_bytes import TokenBytes

TEXT = "Once upon a time, naïve 猫 sat. 🐈"


@pytest.mark.parametrize("kind", ["stories", "bpe"])
def test_the_bytes_of_tokens_make_up_the_text(kind: str, shared_data: Path) -> None:
    if kind == "stories":
        file = shared_data / "weights" / "stories260K-hf" / "tokenizer.json"
        tokenizer = Tokenizer.from_file(str(file))
    else:
        tokenizer = made.train(["Once upon a time"], kind="bpe", vocab=300)
    ids = tokenizer.encode(TEXT).ids
    words = TokenBytes(tokenizer)
    assert b"".join(map(words.shown, ids)).decode().removeprefix(" ") == TEXT
    broken = [words.text(i) for i in ids if words.text(i).startswith("bytes:")]
    assert len(broken) > 3
