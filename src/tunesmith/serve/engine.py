"""What an engine is: token ids in, tokens out. Tokenizer, prompt contract, bounds and HTTP are above it.

An engine computes in threads or processes of its own and hands tokens to the event loop through a
`TokenStream`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tunesmith.core.errors import TunesmithError
from tunesmith.models.sampling import Sampling
from tunesmith.models.token import Finish, Likelihood, Token

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prompt:
    """One sequence to be continued.

    With `read` its stream begins with a `Reading`: how likely its own ids are, beside so many likelier ones.
    Only such a prompt may ask for no new tokens. It is continued by the base with an `adapter`, or by itself.
    """

    ids: Sequence[int]
    sampling: Sampling
    read: int | None = None
    adapter: str | None = None

    @property
    def content(self) -> object:
        """What is read by whom: the same for prompts that break a model in the same way."""
        return self.ids if self.adapter is None else (self.adapter, self.ids)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model thought of a prompt's ids but the first; with a `finish` nothing follows."""

    likelihoods: Sequence[Likelihood]
    finish: Finish | None


Item = Token | Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """What an engine is doing: sequences in the batch, sequences waiting and their size in tokens."""

    running: int
    waiting: int
    waiting_size: int
    healthy: bool


class Engine(Protocol):
    """Where tokens are computed."""

    def submit(self, prompts: Sequence[Prompt]) -> TokenStream:
        """Begin the sequences of one request, all or none. Called in the event loop; does not block.

        Raises:
            TunesmithError: S03 when too much is waiting, S05 when the engine has failed, S07 when it is
                closed.
        """

    def stats(self) -> Stats:
        """What it is doing now."""

    def close(self) -> None:
        """Stop; whoever still waits gets S07."""


class TokenStream:
    """The tokens of one request's sequences as they come: pairs of (index of the sequence, token or reading).

    Ends after every sequence's last token. `on_stop` is told the index of a sequence that nobody wants any
    more. Iterating raises what the engine reports, S04 after `deadline_s`, and S06 after `cancel`.
    """

    def __init__(self, count: int, *, deadline_s: float, on_stop: Callable[[int], None]) -> None:
        self.loop = asyncio.get_running_loop()
        self._deadline_s = deadline_s
        self._deadline = self.loop.time() + deadline_s
        self._on_stop = on_stop
        self._open = set(range(count))
        self._arrived: asyncio.Queue[tuple[int, Item | TunesmithError]] = asyncio.Queue()
        self._put: Callable[[int, Item | TunesmithError], None] = self._keep

    def put(self, index: int, item: Item | TunesmithError) -> None:
        """Hand over a token or a reading, or the error that ends the request. In the event loop only."""
        self._put(index, item)

    def _keep(self, index: int, item: Item | TunesmithError) -> None:
        self._arrived.put_nowait((index, item))

    def divert(self, sink: Callable[[int, Item | TunesmithError], None]) -> None:
        """Hand everything on as it comes, instead of keeping it for who iterates; no deadline holds then."""
        self._put = sink

    def stop(self, index: int) -> None:
        """One sequence is not wanted any more (a stop string was met)."""
        if index in self._open:
            self._open.discard(index)
            self._on_stop(index)

    def cancel(self) -> None:
        """Nobody wants this request any more; harmless when it is done."""
        if self._open:
            self._stop_all()
            self.put(0, TunesmithError("S06"))

    def _stop_all(self) -> None:
        for index in tuple(self._open):
            self.stop(index)

    def __aiter__(self) -> TokenStream:
        return self

    async def __anext__(self) -> tuple[int, Item]:
        while self._open or not self._arrived.empty():
            index, item = await self._next()
            if isinstance(item, TunesmithError):
                self._stop_all()
                raise item
            if index in self._open:
                if item.finish:
                    self._open.discard(index)
                return index, item
        raise StopAsyncIteration

    async def _next(self) -> tuple[int, Item | TunesmithError]:
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._arrived.get()
        except TimeoutError:
            self._stop_all()
            raise TunesmithError("S04", seconds=self._deadline_s) from None


def deliver(items: Iterable[tuple[TokenStream, int, Item | TunesmithError]]) -> None:
    """Give items to their streams from another thread, with one wake-up of each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[TokenStream, int, Item | TunesmithError]]] = {}
    for item in items:
        by_loop.setdefault(item[0].loop, []).append(item)
    for loop, batch in by_loop.items():
        try:
            loop.call_soon_threadsafe(_hand_out, batch)
        except RuntimeError:
            logger.info("an event loop was closed with %d answers on their way", len(batch))


def _hand_out(items: Iterable[tuple[TokenStream, int, Item | TunesmithError]]) -> None:
    for stream, index, item in items:
        stream.put(index, item)
