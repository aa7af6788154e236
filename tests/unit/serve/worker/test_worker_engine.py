"""What dies with the process of an engine, what outlives it, and who is blamed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tunesmith.core.errors import TunesmithError
from tunesmith.models.sampling import Sampling
from tunesmith.serve.admission import Limits
from tunesmith.serve.engine import Prompt, TokenStream
from tunesmith.serve.worker.process import Process
from tunesmith.serve.worker.worker_engine import WorkerEngine

SHORT, ENDLESS = Sampling(max_new_tokens=3), Sampling(max_new_tokens=500)
POISON = [1, 999]


@pytest.fixture
def engine(start: Callable[..., Process]) -> Iterator[WorkerEngine]:
    process = start()
    process.facts()
    engine = WorkerEngine(process, Limits(batch=2))
    process.listen(engine)
    yield engine
    engine.close()


async def read(stream: TokenStream) -> list[int] | str:
    try:
        return [token.id async for _, token in stream]
    except TunesmithError as error:
        return error.problems[0].code


async def answers(engine: WorkerEngine, *prompts: list[int]) -> list[list[int] | str]:
    streams = [engine.submit([Prompt(ids, SHORT)]) for ids in prompts]
    return list(await asyncio.gather(*map(read, streams)))


def test_more_than_fit_are_answered_in_turns(engine: WorkerEngine) -> None:
    assert asyncio.run(answers(engine, *[[n, 5] for n in range(9)])) == [[n, 5, 7] for n in range(9)]
    assert (engine.stats().running, engine.stats().waiting) == (0, 0)


def test_a_request_without_prompts_is_answered_with_nothing(engine: WorkerEngine) -> None:
    async def play() -> None:
        assert await read(engine.submit([])) == []
        assert await answers(engine, [1]) == [[1, 7, 7]]

    asyncio.run(play())


def test_who_runs_when_it_is_killed_is_told_and_who_waits_is_answered(engine: WorkerEngine) -> None:
    async def play() -> None:
        running = [engine.submit([Prompt([n], ENDLESS)]) for n in (1, 2)]
        for stream in running:
            await anext(stream)
        waiting = [engine.submit([Prompt([n], SHORT)]) for n in (3, 4, 5)]
        os.kill(engine.process.pid, signal.SIGKILL)
        assert await asyncio.gather(*map(read, running)) == ["S48", "S48"]
        assert await asyncio.gather(*map(read, waiting)) == [[n, 7, 7] for n in (3, 4, 5)]
        assert engine.stats().healthy

    asyncio.run(play())


def test_what_was_meant_for_a_process_that_died_is_not_done_by_the_next(engine: WorkerEngine) -> None:
    async def play() -> None:
        babbling = engine.submit([Prompt([998], ENDLESS)])
        engine.process.send({"do": "begin", "id": 77, "prompt": None})  # which would end the next one
        assert await read(babbling) == "S48"
        assert await answers(engine, [1]) == [[1, 7, 7]]

    asyncio.run(play())


def test_what_cannot_be_written_fails_alone(engine: WorkerEngine) -> None:
    first = engine.process.pid
    assert asyncio.run(answers(engine, [1], [2**70], [2])) == [[1, 7, 7], "S05", [2, 7, 7]]
    assert engine.process.pid == first


def test_it_is_not_ready_while_its_process_is_gone(
    engine: WorkerEngine, monkeypatch: pytest.MonkeyPatch, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    monkeypatch.setattr("tunesmith.serve.worker.process._PAUSES_S", (0.3,) * 3)
    os.kill(engine.process.pid, signal.SIGKILL)
    eventually(lambda: not engine.stats().healthy)
    eventually(lambda: engine.stats().healthy)


def test_the_culprit_is_found_alone_and_then_refused(engine: WorkerEngine) -> None:
    async def play() -> None:
        innocent = engine.submit([Prompt([1], ENDLESS)])
        await anext(innocent)
        assert await answers(engine, POISON) == ["S48"]
        assert await read(innocent) == "S48"
        # Each suspect is tried by itself: one more death, which takes nobody along.
        assert await answers(engine, [1], POISON, [2]) == [[1, 7, 7], "S48", [2, 7, 7]]
        with pytest.raises(TunesmithError, match="S73"):
            engine.submit([Prompt(POISON, SHORT)])
        assert await answers(engine, [1], [2]) == [[1, 7, 7], [2, 7, 7]]

    asyncio.run(play())


def test_a_place_is_given_away_when_its_request_is_cancelled(engine: WorkerEngine) -> None:
    async def play() -> None:
        streams = [engine.submit([Prompt([n], ENDLESS)]) for n in (1, 2)]
        queued = engine.submit([Prompt([3], SHORT)])
        streams[0].cancel()
        assert await read(queued) == [3, 7, 7]
        streams[1].cancel()
        assert engine.stats().running == 0

    asyncio.run(play())


def test_a_silent_process_is_replaced(
    engine: WorkerEngine, monkeypatch: pytest.MonkeyPatch, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    first = engine.process.pid
    try:
        with monkeypatch.context() as patch:
            patch.setattr("tunesmith.serve.worker.watch._SILENT", 1)
            os.kill(first, signal.SIGSTOP)
            eventually(lambda: engine.process.pid != first)
        eventually(lambda: engine.stats().healthy)
    finally:
        with suppress(ProcessLookupError):
            os.kill(first, signal.SIGCONT)


def test_one_that_dies_again_and_again_is_given_up(
    start: Callable[..., Process], eventually: Callable[[Callable[[], bool]], None]
) -> None:
    process = start(fails="later")
    process.facts()
    engine = WorkerEngine(process, Limits())
    process.listen(engine)
    eventually(lambda: process.hopeless)

    async def play() -> None:
        with pytest.raises(TunesmithError, match="S50"):
            engine.submit([Prompt([1], SHORT)])

    asyncio.run(play())
    assert not engine.stats().healthy


def test_closing_tells_who_runs_and_who_waits(engine: WorkerEngine) -> None:
    async def play() -> None:
        streams = [engine.submit([Prompt([n], ENDLESS)]) for n in (1, 2, 3)]
        await anext(streams[0])
        await asyncio.to_thread(engine.close)
        assert await asyncio.gather(*map(read, streams)) == ["S07"] * 3

    asyncio.run(play())
