"""Token ids into text while they arrive: only characters that are complete, and in the end all of them.

A character may be spread over several tokens (byte-level BPE, byte fallback), and what a token says may
depend on its neighbours (leading spaces of Metaspace). So a short window of ids is decoded again for every
token, and replacement characters at its end are held back until what follows shows what they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Tokenizer

_REPLACEMENT = "\ufffd"
_MAX_WINDOW = 64
_CONTEXT = 16


class Detokenizer:
    """Text of one sequence; `after` are the ids it continues, whose text is not repeated.

    The deltas joined equal the tokenizer's decoding of all ids (special tokens left out), except that when a
    run of byte-fallback tokens ends inside a character, the complete characters before it are kept.
    """

    def __init__(self, tokenizer: Tokenizer, after: Sequence[int] = ()) -> None:
        self._tokenizer = tokenizer
        self._window = list(after[-_CONTEXT:])
        self._said = self._decode()
        self._open = len(self._window)  # where the ids begin whose text is not complete

    def feed(self, token: int) -> str:
        """The text that is certain now and was not before."""
        self._window.append(token)
        text = self._decode()
        if len(self._window) - self._open > _MAX_WINDOW:
            return self._move_on(self._delta(text))
        if text.endswith(_REPLACEMENT) or len(text) <= len(self._said):
            return ""
        return self._move_on(self._delta(text))

    def flush(self) -> str:
        """What was held back."""
        return self._move_on(self._delta(self._decode()))

    def _delta(self, text: str) -> str:
        if text.startswith(self._said):
            return text[len(self._said) :]
        # Byte fallback: a broken byte spoils the whole run before it, of which the good part is already said.
        return self._tokenizer.decode(self._window[self._open :])

    def _move_on(self, delta: str) -> str:
        """Begin a window at the tokens that said `delta`."""
        if delta:
            self._window = self._window[self._open :]
            self._open = len(self._window)
            self._said = self._decode()
        return delta

    def _decode(self) -> str:
        return self._tokenizer.decode(self._window, skip_special_tokens=True)
