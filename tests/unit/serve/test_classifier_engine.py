"""Classification in a worker thread: batched together, failing apart."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tunesmith.core.errors import TunesmithError
from tunesmith.serve.admission import Limits
from tunesmith.serve.classifier_engine import ClassifierEngine


@pytest.fixture
def engine(vowels: Any) -> Iterator[ClassifierEngine[str, Any]]:
    engine = ClassifierEngine(vowels.predict, Limits())
    yield engine
    engine.close()


def test_each_request_gets_its_own_rows(engine: ClassifierEngine[str, Any]) -> None:
    async def play() -> list[Any]:
        return await asyncio.gather(*(engine.predict(texts) for texts in (["aa"], ["bb", "ab"])))

    first, second = asyncio.run(play())
    assert first.tolist() == [[1, 0]]
    assert second.tolist() == [[0, 1], [0.5, 0.5]]


def test_requests_that_wait_together_are_predicted_together(
    vowels: Any, engine: ClassifierEngine[str, Any]
) -> None:
    async def play() -> None:
        await asyncio.gather(*(engine.predict(["a"]) for _ in range(20)))

    asyncio.run(play())
    assert sum(vowels.batches) == 20
    assert len(vowels.batches) < 20


def test_a_request_that_breaks_the_model_fails_alone(engine: ClassifierEngine[str, Any]) -> None:
    async def play() -> list[Any]:
        asked = (engine.predict([text]) for text in ("a", "poison", "b"))
        return await asyncio.gather(*asked, return_exceptions=True)

    good, bad, other = asyncio.run(play())
    assert good.tolist() == [[1, 0]]
    assert other.tolist() == [[0, 1]]
    assert isinstance(bad, TunesmithError)
    assert bad.problems[0].code == "S05"


def test_a_closed_engine_refuses(vowels: Any) -> None:
    engine = ClassifierEngine(vowels.predict, Limits())
    engine.close()
    assert not engine.stats().healthy
    with pytest.raises(TunesmithError, match="S07"):
        asyncio.run(engine.predict(["a"]))
