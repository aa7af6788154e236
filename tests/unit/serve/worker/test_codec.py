"""What goes through the pipe comes out the same."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import pytest

from tunesmith.core.errors import TunesmithError, UsageError
from tunesmith.models.sampling import Sampling
from tunesmith.models.token import Likelihood, Token
from tunesmith.serve.engine import Prompt, Reading
from tunesmith.serve.worker.channel import Channel, write
from tunesmith.serve.worker.codec import item_in, item_out, prompt_in, prompt_out


def through(message: dict[str, Any], numbers: Any = None) -> Any:
    return Channel(io.BytesIO(write(message, numbers)), io.BytesIO()).receive()


def test_prompts() -> None:
    sampling = Sampling(
        max_new_tokens=5, temperature=0.1, seed=2**63 + 5, stop_ids=(1, 2), bias=((4, -100.0), (7, 0.3))
    )
    prompt = Prompt([1, 2, 3], sampling, read=2)
    assert prompt_in(through({"p": prompt_out(prompt)})["p"], lambda _: pytest.fail("no grammar")) == prompt


@pytest.mark.parametrize(
    "item",
    [
        Token(handle=4, id=9, likelihood=None, finish="complete"),
        Token(handle=4, id=9, likelihood=Likelihood(-0.1, ((1, -0.1), (2, -math.inf))), finish=None),
        Reading([Likelihood(-math.inf), Likelihood(-2.5)], "length"),
    ],
)
def test_items(item: Any) -> None:
    assert item_in(4, through({"i": item_out(item)})["i"]) == item


def test_errors() -> None:
    error = UsageError("S02", tokens=3, new=4, context=5)
    again = item_in(0, through({"i": item_out(error)})["i"])
    assert isinstance(again, UsageError)
    assert again.problems == error.problems
    odd = item_in(0, ["e", {"kind": "Path", "problems": [{"code": "S05"}]}])
    assert type(odd) is TunesmithError


def test_numbers() -> None:
    numbers = np.array([[0.1, np.inf], [np.nan, -0.0]], dtype=np.float32)
    found = through({"is": "found"}, numbers)["numbers"]
    assert found.tobytes() == numbers.tobytes()
    assert found.shape == (2, 2)


def test_the_end_in_the_middle_of_a_message_is_the_end() -> None:
    assert Channel(io.BytesIO(write({"a": 1})[:-1]), io.BytesIO()).receive() is None
