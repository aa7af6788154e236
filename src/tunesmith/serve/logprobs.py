"""How likely tokens were, in OpenAI's two shapes: that of chat and that of text completions."""

from __future__ import annotations

import codecs
import math
from collections.abc import Iterable, Sequence

from tunesmith.models.token import Likelihood
from tunesmith.models.token_bytes import TokenBytes
from tunesmith.serve.answers import ChatLogprobs, CompletionLogprobs, TokenLogprob, TopLogprob
from tunesmith.serve.generation import Said

# JSON has no infinity; what cannot be is this unlikely.
_LEAST = -9999.0


def of_chat(said: Iterable[Said], words: TokenBytes) -> ChatLogprobs:
    """The shape of chat completions."""
    return ChatLogprobs(content=[_told(token, words) for token in said])


def _told(token: Said, words: TokenBytes) -> TokenLogprob:
    found = token.likelihood or Likelihood(_LEAST)
    own = _top(token.id, found.logprob, words)
    tops = [_top(i, logprob, words) for i, logprob in found.top]
    return TokenLogprob(token=own.token, bytes=own.bytes, logprob=own.logprob, top_logprobs=tops)


def _top(token: int, logprob: float, words: TokenBytes) -> TopLogprob:
    own = words(token)
    return TopLogprob(token=own.decode(errors="replace"), bytes=list(own), logprob=_finite(logprob))


def of_completion(said: Sequence[Said], words: TokenBytes, text: str, start: int) -> CompletionLogprobs:
    """The shape of text completions, of tokens whose `text` begins at the character `start` of the answer."""
    shown = [words.shown(token.id) for token in said]
    # Some tokenizers begin every text with a space, which their decoder takes off again.
    hidden = b"".join(shown).startswith(b" ") and not text.startswith(" ")
    return CompletionLogprobs(
        tokens=[words.text(token.id) for token in said],
        token_logprobs=[token.likelihood and _finite(token.likelihood.logprob) for token in said],
        top_logprobs=[token.likelihood and _tops(token.id, token.likelihood, words) for token in said],
        text_offset=[max(0, offset) for offset in _offsets(shown, start - hidden)],
    )


def _tops(token: int, found: Likelihood, words: TokenBytes) -> dict[str, float]:
    """By text; the likeliest counts where several tokens look alike."""
    tops: dict[str, float] = {}
    for i, logprob in (*found.top, (token, found.logprob)):
        text = words.text(i)
        tops[text] = max(tops.get(text, _LEAST), _finite(logprob))
    return tops


def _offsets(pieces: Sequence[bytes], start: int) -> list[int]:
    """Where pieces begin in their text, in characters; one inside a character begins where that does."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    found = []
    for piece in pieces:
        found.append(start)
        start += len(decoder.decode(piece))
    return found


def _finite(logprob: float) -> float:
    return min(0.0, logprob) if math.isfinite(logprob) else _LEAST
