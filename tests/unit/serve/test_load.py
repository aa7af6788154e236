"""A load on a server: what is measured is what the server did."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tunesmith.core.errors import TunesmithError
from tunesmith.serve.load import Load, measure

BRIEF = Load(clients=2, seconds=0.2, words=5, tokens=6)


def test_answers_are_counted_and_timed(story_url: str) -> None:
    found = asyncio.run(measure(story_url, BRIEF, model="teller")).as_dict()
    assert found["requests"] >= 2
    assert found["tokens"] == 6 * found["requests"]
    assert found["prompt_tokens"] > 5 * found["requests"]
    assert 0 < found["first_token_ms"]["p50"] < found["latency_ms"]["p50"]
    assert found["per_token_ms"]["p95"] >= found["per_token_ms"]["p50"] > 0
    assert found["errors"] == {}


def test_a_classifier_has_no_tokens(story_url: str) -> None:
    found = asyncio.run(measure(story_url, BRIEF, model="vowels")).as_dict()
    assert found["requests"] > 2
    assert found["first_token_ms"] is found["per_token_ms"] is None
    assert found["tokens"] == 0


@pytest.mark.parametrize(
    ("model", "code", "said"),
    [("nobody", "S71", "404"), (None, "S33", "stories")],
    ids=["unknown", "several"],
)
def test_a_server_that_answers_nothing_is_no_measurement(
    story_url: str, model: str | None, code: str, said: str
) -> None:
    with pytest.raises(TunesmithError, match=said) as error:
        asyncio.run(measure(story_url, BRIEF, model=model))
    assert error.value.problems[0].code == code


def test_an_answer_that_does_not_come_in_time_is_an_error(story_url: str) -> None:
    with pytest.raises(TunesmithError, match="TimeoutError"):
        asyncio.run(measure(story_url, replace(BRIEF, patience=0), model="teller"))


def test_a_server_that_is_not_there_is_said_to_be_missing() -> None:
    with pytest.raises(TunesmithError, match="S32"):
        asyncio.run(measure("http://127.0.0.1:9", BRIEF))
