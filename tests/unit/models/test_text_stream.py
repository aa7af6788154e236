"""Pieces of an answer: stop tokens are silent, stop strings end it early, held text comes out at the end."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from tunesmith.models.text_stream import Piece, TextStream
from tunesmith.models.token import Finish, Token


@pytest.fixture
def tokenizer(shared_data: Path) -> Tokenizer:
    return Tokenizer.from_file(str(shared_data / "weights" / "gpt2-tokenizer" / "tokenizer.json"))


def pieces(tokenizer: Tokenizer, text: str, finish: Finish, stops: tuple[str, ...] = ()) -> list[Piece]:
    ids = tokenizer.encode(text).ids
    stream = TextStream(tokenizer, stops=stops)
    tokens = [
        Token(handle=0, id=token, likelihood=None, finish=finish if i == len(ids) - 1 else None)
        for i, token in enumerate(ids)
    ]
    return [stream.feed(token) for token in tokens]


def test_at_a_length_limit_the_last_token_and_held_text_are_shown(tokenizer: Tokenizer) -> None:
    made = pieces(tokenizer, "one two E", "length", ("END",))
    assert "".join(piece.text for piece in made) == "one two E"
    assert made[-1].finish == "length"


def test_the_text_of_a_stop_token_is_not_shown(tokenizer: Tokenizer) -> None:
    made = pieces(tokenizer, "one two three", "stop")
    assert "".join(piece.text for piece in made) == "one two"
    assert made[-1].finish == "stop"


def test_a_stop_string_finishes_the_answer(tokenizer: Tokenizer) -> None:
    made = pieces(tokenizer, "one two three four", "length", (" three",))
    ended = next(i for i, piece in enumerate(made) if piece.finish)
    assert "".join(piece.text for piece in made[: ended + 1]) == "one two"
    assert made[ended].finish == "stop"
