"""Continuations of many prompts, several computed at once; each is what it would be alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tunesmith.models.decoder import Decoder
from tunesmith.models.language import LanguageModel
from tunesmith.models.text_stream import TextStream

_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Continuation:
    """What a model wrote; `cut`: how many tokens at the start of the prompt had no room in the context."""

    text: str
    cut: int = 0


@dataclass(slots=True)
class _Text:
    """One text on its way."""

    number: int
    stream: TextStream
    cut: int
    parts: list[str] = field(default_factory=list[str])


def written(
    model: LanguageModel, prompts: Sequence[Sequence[int]], *, stop: Sequence[str] = (), **settings: Any
) -> list[Continuation]:
    """What follows each prompt of token ids, ended at a string of `stop`; settings as in `Sampling`.

    A prompt that leaves less room than `max_new_tokens` loses tokens at its start.
    """
    texts = dict(_finished(model, prompts, stop, settings))
    return [texts[number] for number in range(len(prompts))]


def room(model: LanguageModel, tokens: int) -> int:
    """The longest prompt after which there is room for so many tokens; half of the context at least."""
    return max(model.context - tokens, model.context // 2, 1)


def _finished(
    model: LanguageModel, prompts: Sequence[Sequence[int]], stop: Sequence[str], settings: dict[str, Any]
) -> Iterator[tuple[int, Continuation]]:
    decoder = Decoder(model.module, max_batch=_AT_ONCE)
    longest = room(model, settings.get("max_new_tokens", model.contract.generation.max_new_tokens))
    waiting = iter(enumerate(prompts))
    running: dict[int, _Text] = {}
    while True:
        while decoder.active < _AT_ONCE and (item := next(waiting, None)):
            number, ids = item[0], list(item[1])[-longest:]
            sampling = model.sampling(room=model.context - len(ids), **settings)
            stream = TextStream(model.tokenizer, stops=stop, after=ids)
            running[decoder.add(ids, sampling)] = _Text(number, stream, len(item[1]) - len(ids))
        if not running:
            return
        for token in decoder.step():
            text = running[token.handle]
            piece = text.stream.feed(token)
            text.parts.append(piece.text)
            if piece.finish:
                decoder.remove(token.handle)
                del running[token.handle]
                yield text.number, Continuation("".join(text.parts), text.cut)
