"""Predictions out of a process that may die."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core.errors import TunesmithError
from tunesmith.serve.admission import Limits
from tunesmith.serve.worker import deployment
from tunesmith.serve.worker.predictor import WorkerPredictor
from tunesmith.serve.worker.process import Process


@pytest.fixture
def engine(start: Callable[..., Process]) -> Iterator[WorkerPredictor]:
    process = start()
    process.facts()
    engine = WorkerPredictor(process, "classify", Limits())
    process.listen(engine)
    yield engine
    engine.close()


async def ask(engine: WorkerPredictor, *texts: str) -> list[Any]:
    async def one(text: str) -> Any:
        try:
            return (await engine.predict([text])).tolist()
        except TunesmithError as error:
            return error.problems[0].code

    return list(await asyncio.gather(*map(one, texts)))


def test_numbers_come_as_they_are(engine: WorkerPredictor) -> None:
    found = asyncio.run(engine.predict(["ab", "abc"]))
    assert (found.dtype, found.tolist()) == ("float32", [[2.0, 0.5], [3.0, 0.5]])


def test_a_killed_process_costs_nobody_an_answer(engine: WorkerPredictor) -> None:
    os.kill(engine.process.pid, signal.SIGKILL)
    assert asyncio.run(ask(engine, "a", "bb")) == [[[1.0, 0.5]], [[2.0, 0.5]]]


def test_only_what_breaks_the_model_fails(engine: WorkerPredictor) -> None:
    assert asyncio.run(ask(engine, "a", "poison", "bb")) == [[[1.0, 0.5]], "S48", [[2.0, 0.5]]]
    assert asyncio.run(ask(engine, "a\ud800")) == ["S05"]


def test_it_closes_while_a_batch_is_computed(
    engine: WorkerPredictor, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    async def play() -> list[Any]:
        asked = asyncio.create_task(ask(engine, "endless", "a", "bb"))
        await asyncio.to_thread(eventually, lambda: engine.stats().running > 0)
        await asyncio.wait_for(asyncio.to_thread(engine.close), 20)
        return await asked

    assert set(asyncio.run(play())) <= {"S07", "S48"}


def test_a_process_whose_model_cannot_be_served_is_ended(
    start: Callable[..., Process],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process = start()
    monkeypatch.setattr(deployment, "Process", lambda _: process)
    monkeypatch.setattr(process, "facts", lambda: {"has_tokenizer": True})
    with pytest.raises(TunesmithError):
        deployment.deploy_apart(tmp_path, name="without a tokenizer")
    assert process._popen.poll() is not None
