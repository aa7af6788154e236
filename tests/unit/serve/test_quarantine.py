"""What broke the model twice is not tried a third time; nothing else is refused."""

from __future__ import annotations

import asyncio

import pytest

from tunesmith.core.errors import TunesmithError
from tunesmith.serve.admission import Limits
from tunesmith.serve.classifier_engine import ClassifierEngine
from tunesmith.serve.quarantine import Quarantine


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


def test_a_text_that_breaks_a_classifier_is_not_tried_a_third_time() -> None:
    tried: list[str] = []

    def predict(texts: list[str]) -> list[str]:
        tried.extend(texts)
        if "poison" in texts:
            raise RuntimeError("a text that breaks the model")
        return texts

    async def play() -> list[str]:
        codes = []
        for _ in range(3):
            with pytest.raises(TunesmithError) as error:
                await engine.predict(["poison"])
            codes.append(error.value.problems[0].code)
        assert await engine.predict(["good"]) == ["good"]
        return codes

    engine = ClassifierEngine(predict, Limits())
    try:
        assert asyncio.run(play()) == ["S05", "S05", "S73"]
    finally:
        engine.close()
    assert tried == ["poison", "poison", "good"]
