"""The engine: many requests at once answer as each alone; failures and departures concern nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from tunesmith.core.errors import TunesmithError
from tunesmith.models.decoder import Decoder, run
from tunesmith.models.language import LanguageModel
from tunesmith.models.sampling import Sampling
from tunesmith.models.token import Likelihood
from tunesmith.serve.admission import Limits
from tunesmith.serve.engine import Prompt, TokenStream
from tunesmith.serve.torch_engine import TorchEngine

PROMPTS = [[1, 403, 407], [1, 410, 444, 400], [1, 420] * 9, [1]]
SHORT = Sampling(max_new_tokens=12)
ENDLESS = Sampling(max_new_tokens=500)


@pytest.fixture
def engine(stories: LanguageModel) -> Iterator[TorchEngine]:
    engine = TorchEngine(stories.module, Limits(batch=2, queue_requests=4))
    yield engine
    engine.close()


async def read(stream: TokenStream) -> list[int]:
    return [token.id async for _, token in stream]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)


async def code_of(reading: Awaitable[object]) -> str:
    with pytest.raises(TunesmithError) as error:
        await reading
    return error.value.problems[0].code


@asynccontextmanager
async def busy(engine: TorchEngine) -> AsyncIterator[list[TokenStream]]:
    """The batch is full of requests that go on and on."""
    streams = [engine.submit([Prompt([1, 403], ENDLESS)]) for _ in range(2)]
    await until(lambda: engine.stats().running == 2)
    yield streams
    for stream in streams:
        stream.cancel()


def test_concurrent_requests_get_what_each_gets_alone(stories: LanguageModel, engine: TorchEngine) -> None:
    async def play() -> list[list[int]]:
        streams = [engine.submit([Prompt(ids, SHORT)]) for ids in PROMPTS]
        return list(await asyncio.gather(*map(read, streams)))

    alone = [[token.id for token in run(Decoder(stories.module, max_batch=1), ids, SHORT)] for ids in PROMPTS]
    assert asyncio.run(play()) == alone
    assert engine.stats().running == 0


def test_too_many_requests_are_refused_and_the_accepted_ones_answered(engine: TorchEngine) -> None:
    async def play() -> None:
        async with busy(engine):
            waiting = [engine.submit([Prompt([1], SHORT)]) for _ in range(4)]
            with pytest.raises(TunesmithError, match="S03"):
                engine.submit([Prompt([1], SHORT)])
            assert engine.stats().waiting == 4
        assert [len(await read(stream)) for stream in waiting] == [12] * 4

    asyncio.run(play())


def test_a_cancelled_request_gives_its_place_away(engine: TorchEngine) -> None:
    async def play() -> None:
        async with busy(engine) as streams:
            queued = engine.submit([Prompt([1], SHORT)])
            streams[0].cancel()
            assert len(await read(queued)) == 12
            assert await code_of(read(streams[0])) == "S06"

    asyncio.run(play())


def test_a_request_cancelled_in_the_queue_is_never_computed(engine: TorchEngine) -> None:
    async def play() -> None:
        async with busy(engine):
            queued = engine.submit([Prompt([1], SHORT)])
            queued.cancel()
            assert engine.stats().waiting == 0

    asyncio.run(play())


def test_one_impossible_prompt_fails_alone(engine: TorchEngine) -> None:
    async def play() -> None:
        bad, good = engine.submit([Prompt([9999], SHORT)]), engine.submit([Prompt([1], SHORT)])
        assert await code_of(read(bad)) == "S21"
        assert len(await read(good)) == 12

    asyncio.run(play())


def test_a_failing_step_reaches_everyone_in_the_batch_and_the_engine_goes_on(
    engine: TorchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("no memory")

    async def play() -> None:
        async with busy(engine) as streams:
            with monkeypatch.context() as patch:
                patch.setattr(engine._decoder, "step", broken)
                assert [await code_of(_drain(stream)) for stream in streams] == ["S05", "S05"]
        assert len(await read(engine.submit([Prompt([1], SHORT)]))) == 12

    async def _drain(stream: TokenStream) -> None:
        await read(stream)

    asyncio.run(play())


def test_when_its_thread_dies_nobody_is_left_waiting(
    engine: TorchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(*_: object, **__: object) -> None:
        raise SystemExit

    async def play() -> None:
        async with busy(engine) as streams:
            queued = engine.submit([Prompt([1], SHORT)])
            monkeypatch.setattr(engine._room, "take", dying)
            assert [await code_of(read(s)) for s in (*streams, queued)] == ["S05"] * 3
        assert not engine.stats().healthy
        with pytest.raises(TunesmithError, match="S05"):
            engine.submit([Prompt([1], SHORT)])

    asyncio.run(play())


def test_closing_ends_running_and_waiting_requests_with_an_error(stories: LanguageModel) -> None:
    engine = TorchEngine(stories.module, Limits(batch=2))

    async def play() -> None:
        streams = [engine.submit([Prompt([1, 403], ENDLESS)]) for _ in range(3)]
        await until(lambda: engine.stats().running == 2)
        await asyncio.to_thread(engine.close)
        assert [await code_of(read(stream)) for stream in streams] == ["S07"] * 3
        with pytest.raises(TunesmithError, match="S07"):
            engine.submit([Prompt([1], SHORT)])

    asyncio.run(play())


def test_it_is_not_idle_while_it_reads_a_prompt(engine: TorchEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def look(*_: object) -> list[Likelihood]:
        seen.append(engine.stats().running)
        return []

    monkeypatch.setattr("tunesmith.models.decoder.read", look)

    async def play() -> None:
        async for _ in engine.submit([Prompt([1, 403], SHORT, read=0)]):
            pass

    asyncio.run(play())
    assert seen == [1]


def test_several_sequences_of_one_request_come_with_their_index(engine: TorchEngine) -> None:
    async def play() -> dict[int, list[int]]:
        made: dict[int, list[int]] = {}
        prompts = [Prompt(ids, SHORT) for ids in PROMPTS]
        async for index, token in engine.submit(prompts):
            made.setdefault(index, []).append(token.id)
        return made

    made = asyncio.run(play())
    assert sorted(made) == [0, 1, 2, 3]
    assert all(len(tokens) == 12 for tokens in made.values())
