"""What broke the model twice is not tried a third time; nothing else is refused."""

from __future__ import annotations

import asyncio

import pytest

from tunesmith.core.errors import TunesmithError
from tunesmith.serve.admission import Limits
from tunesmith.serve.classifier_engine import ClassifierEngine
from tunesmith.serve.quarantine import Quarantine, UnaskedError


def test_the_third_try_is_refused() -> None:
    quarantine = Quarantine()
    for _ in range(2):
        quarantine.check([1, 2])
        quarantine.note([1, 2])
    quarantine.check([1, 3])
    with pytest.raises(TunesmithError, match="S73"):
        quarantine.check([1, 2])


def test_only_so_much_is_remembered() -> None:
    quarantine = Quarantine()
    for number in range(3000):
        quarantine.note(number)
        quarantine.note(number)
    quarantine.check(0)
    with pytest.raises(TunesmithError, match="S73"):
        quarantine.check(2999)


async def refusals(engine: ClassifierEngine[str, str], text: str) -> list[str]:
    """The codes with which a text is refused three times."""
    codes = []
    for _ in range(3):
        with pytest.raises(TunesmithError) as error:
            await engine.predict([text])
        codes.append(error.value.problems[0].code)
    return codes


def test_a_text_that_breaks_a_classifier_is_not_tried_a_third_time() -> None:
    tried: list[str] = []

    def predict(texts: list[str]) -> list[str]:
        tried.extend(texts)
        if "poison" in texts:
            raise RuntimeError("a text that breaks the model")
        return texts

    async def play() -> list[str]:
        codes = await refusals(engine, "poison")
        assert await engine.predict(["good"]) == ["good"]
        return codes

    engine = ClassifierEngine(predict, Limits())
    try:
        assert asyncio.run(play()) == ["S05", "S05", "S73"]
    finally:
        engine.close()
    assert tried == ["poison", "poison", "good"]


def test_who_was_not_asked_because_the_model_was_away_is_not_suspected() -> None:
    away = [True]

    def predict(texts: list[str]) -> list[str]:
        if away[0]:
            raise UnaskedError("S50")
        return texts

    async def play() -> list[str]:
        codes = await refusals(engine, "ping")
        away[0] = False
        assert await engine.predict(["ping"]) == ["ping"]
        return codes

    engine = ClassifierEngine(predict, Limits())
    try:
        assert asyncio.run(play()) == ["S50"] * 3
    finally:
        engine.close()


def test_a_failure_that_did_not_come_again_is_forgotten() -> None:
    fails = [True, False, True, False]

    def predict(texts: list[str]) -> list[str]:
        if fails.pop(0):
            raise RuntimeError("sometimes")
        return texts

    async def play() -> None:
        for _ in range(2):
            with pytest.raises(TunesmithError, match="S05"):
                await engine.predict(["a"])
            assert await engine.predict(["a"]) == ["a"]

    engine = ClassifierEngine(predict, Limits())
    try:
        asyncio.run(play())
    finally:
        engine.close()
