"""A request's stream of tokens: it ends when all sequences have, and never hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from tunesmith.core.errors import TunesmithError
from tunesmith.models.token import Finish, Token
from tunesmith.serve.engine import TokenStream


def token(identity: int, finish: Finish | None = None) -> Token:
    return Token(handle=0, id=identity, likelihood=None, finish=finish)


async def read(stream: TokenStream) -> list[tuple[int, int]]:
    return [(index, token.id) async for index, token in stream]


def code_of(awaited: Coroutine[Any, Any, object]) -> str:
    with pytest.raises(TunesmithError) as error:
        asyncio.run(awaited)
    return error.value.problems[0].code


def test_it_ends_after_the_last_token_of_every_sequence() -> None:
    async def play() -> list[tuple[int, int]]:
        stream = TokenStream(2, deadline_s=10, on_stop=lambda _: None)
        for index, item in [(0, token(5)), (1, token(6, "stop")), (0, token(7, "length"))]:
            stream.put(index, item)
        return await read(stream)

    assert asyncio.run(play()) == [(0, 5), (1, 6), (0, 7)]


def test_a_stopped_sequence_is_silent_and_its_engine_is_told() -> None:
    stopped: list[int] = []

    async def play() -> list[tuple[int, int]]:
        stream = TokenStream(2, deadline_s=10, on_stop=stopped.append)
        stream.stop(1)
        for index, item in [(1, token(5)), (0, token(7, "length"))]:
            stream.put(index, item)
        return await read(stream)

    assert asyncio.run(play()) == [(0, 7)]
    assert stopped == [1]


def test_an_error_ends_the_request_and_frees_its_other_sequences() -> None:
    stopped: list[int] = []

    async def play() -> None:
        stream = TokenStream(2, deadline_s=10, on_stop=stopped.append)
        stream.put(0, TunesmithError("S05"))
        await read(stream)

    assert code_of(play()) == "S05"
    assert stopped == [0, 1]


def test_past_the_deadline_it_gives_up_and_frees_its_sequences() -> None:
    stopped: list[int] = []

    async def play() -> None:
        await read(TokenStream(1, deadline_s=0.01, on_stop=stopped.append))

    assert code_of(play()) == "S04"
    assert stopped == [0]


def test_cancelling_wakes_the_reader() -> None:
    async def play() -> None:
        stream = TokenStream(1, deadline_s=10, on_stop=lambda _: None)
        asyncio.get_running_loop().call_soon(stream.cancel)
        await read(stream)

    assert code_of(play()) == "S06"


def test_cancelling_after_the_end_changes_nothing() -> None:
    async def play() -> list[tuple[int, int]]:
        stream = TokenStream(1, deadline_s=10, on_stop=lambda _: None)
        stream.put(0, token(5, "stop"))
        made = await read(stream)
        stream.cancel()
        return made + await read(stream)

    assert asyncio.run(play()) == [(0, 5)]
