"""From the tokens of one sequence to pieces of its text, ended at stop strings: how generating ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

from tunesmith.models.detokenizer import Detokenizer
from tunesmith.models.stop_strings import StopStrings
from tunesmith.models.token import Finish, Token


@dataclass(frozen=True, slots=True)
class Piece:
    """Text to show; after a piece with a `finish` there are no more."""

    text: str
    finish: Finish | None


class TextStream:
    """Feed it every token of a sequence; a finish may come earlier than the tokens' own, at a stop string.

    `after` are the ids that the text continues (so that a leading space is kept); leave it out for an answer
    that stands by itself. The text of a stop token is not shown.
    """

    def __init__(self, tokenizer: Tokenizer, *, stops: Sequence[str] = (), after: Sequence[int] = ()) -> None:
        self._text = Detokenizer(tokenizer, after)
        self._stops = StopStrings(stops)

    def feed(self, token: Token) -> Piece:
        """The text that this token makes certain."""
        text = "" if token.finish == "stop" else self._text.feed(token.id)
        if token.finish:
            text += self._text.flush()
        shown, stopped = self._stops.feed(text)
        if stopped:
            return Piece(shown, "stop")
        finish: Finish | None = "stop" if token.finish == "complete" else token.finish
        return Piece(shown + self._stops.flush() if finish else shown, finish)
