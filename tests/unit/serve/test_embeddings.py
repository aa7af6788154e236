"""Vectors over HTTP are those of the model, as numbers and as the bytes that OpenAI's client asks for."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from tunesmith.core.errors import TunesmithError
from tunesmith.serve.admission import Limits
from tunesmith.serve.classifier_engine import ClassifierEngine
from tunesmith.serve.client import Client
from tunesmith.serve.deployment import EmbedDeployment
from tunesmith.serve.server import serving


def lengths(texts: Sequence[str]) -> NDArray[np.float32]:
    return np.array([[len(text), 0.5] for text in texts], dtype=np.float32)


@pytest.fixture
def url() -> Iterator[str]:
    engine = ClassifierEngine(lengths, Limits())
    deployment = EmbedDeployment(
        name="lengths", created=0, tokens=lambda texts: sum(map(len, texts)), engine=engine
    )
    with serving([deployment]) as found:
        yield found


def test_vectors_are_the_models(url: str) -> None:
    with Client(url) as client:
        assert client.embed(["a", "bcd"]) == [[1.0, 0.5], [3.0, 0.5]]
        assert client.embed("ab", model="lengths") == [[2.0, 0.5]]
        with pytest.raises(TunesmithError, match="/v1/embeddings"):
            client.chat("hello", model="lengths")


def test_bytes_are_the_same_numbers(url: str) -> None:
    body = {"model": "lengths", "input": "abc", "encoding_format": "base64"}
    answer = httpx.post(f"{url}/v1/embeddings", json=body).json()
    raw = base64.b64decode(answer["data"][0]["embedding"])
    assert np.frombuffer(raw, dtype="<f4").tolist() == [3.0, 0.5]
    assert answer["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


def test_settings_that_are_not_honoured_are_refused(url: str) -> None:
    body = {"model": "lengths", "input": "abc", "dimensions": 1}
    assert httpx.post(f"{url}/v1/embeddings", json=body).status_code == 400
