"""kill -9 of a model's process while it serves: its requests fail in order, everything else goes on."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tunesmith.models.language import LanguageModel
from tunesmith.models.loading import load
from tunesmith.models.resolve import Resolved
from tunesmith.serve.served import TextDeployment
from tunesmith.serve.server import serving
from tunesmith.serve.worker.deployment import deploy_apart

pytestmark = pytest.mark.faults
ASKED = {"model": "stories", "prompt": "Once upon a time", "temperature": 0}
SCHEMA = {
    "type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"],
    "additionalProperties": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "weights" / "stories260K-hf"


@pytest.fixture(scope="module")
def apart(folder: Path) -> TextDeployment:
    made = deploy_apart(folder, name="stories")
    assert isinstance(made, TextDeployment)
    return made


@pytest.fixture(scope="module")
def http(apart: TextDeployment) -> Iterator[httpx.Client]:
    with serving([apart]) as url, httpx.Client(base_url=url, timeout=120) as client:
        yield client


def eventually(condition: Callable[[], bool], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


def said(http: httpx.Client, **wishes: Any) -> httpx.Response:
    return http.post("/v1/completions", json={**ASKED, "max_tokens": 20, **wishes})


def test_it_says_what_the_model_says(http: httpx.Client, folder: Path) -> None:
    model = load(Resolved(name="stories", folder=folder))
    assert isinstance(model, LanguageModel)
    found = said(http, logprobs=2, echo=True).json()["choices"][0]
    assert found["text"] == ASKED["prompt"] + model.generate("Once upon a time", max_new_tokens=20)
    assert len(found["logprobs"]["token_logprobs"]) > 20


def test_forms_are_kept_and_mistakes_are_told_across_the_pipe(http: httpx.Client) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
    body = {"model": "stories", "messages": [{"role": "user", "content": "?"}], "response_format": form}
    text = http.post("/v1/chat/completions", json=body).json()["choices"][0]["message"]["content"]
    assert text.replace(" ", "").replace("\n", "") in ('{"a":true}', '{"a":false}')
    assert said(http, max_tokens=100_000).json()["error"]["code"] == "context_length_exceeded"


def test_only_its_requests_fail_and_it_serves_again(http: httpx.Client, apart: TextDeployment) -> None:
    answers: list[httpx.Response] = []
    stop = threading.Event()

    def ask(number: int) -> None:
        while not stop.is_set():
            answers.append(said(http, prompt=f"Tom had {number}", max_tokens=200))

    clients = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(40)]
    for client in clients:
        client.start()
    try:
        time.sleep(1)
        os.kill(apart.engine.process.pid, signal.SIGKILL)  # type: ignore[attr-defined]
        eventually(lambda: http.get("/ready").status_code == 503)
        eventually(lambda: http.get("/ready").status_code == 200)
    finally:
        stop.set()
        for client in clients:
            client.join()
    failed = [answer for answer in answers if answer.status_code != 200]
    assert 0 < len(failed) <= 32
    assert {answer.json()["error"]["code"] for answer in failed} == {"engine_lost"}
    assert all("Retry-After" in answer.headers for answer in failed)
    assert said(http).status_code == 200
