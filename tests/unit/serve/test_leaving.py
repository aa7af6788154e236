"""A client that goes away frees its place with the next step, counted in steps and not in time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tunesmith.models.decoder import Decoder
from tunesmith.models.language import LanguageModel
from tunesmith.serve.deployment import deploy
from tunesmith.serve.served import TextDeployment
from tunesmith.serve.server import serving


@pytest.mark.parametrize("stream", [True, False])
def test_who_leaves_is_gone_before_another_step(
    stories: LanguageModel,
    monkeypatch: pytest.MonkeyPatch,
    eventually: Callable[[Callable[[], bool]], None],
    stream: bool,
) -> None:
    allowed, computed = threading.Semaphore(3), list[int]()
    step = Decoder.step

    def counted(self: Decoder, *given: Any) -> Any:
        allowed.acquire(timeout=20)
        computed.append(self.active)
        return step(self, *given)

    monkeypatch.setattr(Decoder, "step", counted)
    deployment = deploy(stories)
    assert isinstance(deployment, TextDeployment)
    engine: Any = deployment.engine
    body = {"model": "stories", "prompt": "Once", "max_tokens": 200, "stream": stream}
    with serving([deployment]) as url:
        client = httpx.Client(base_url=url)
        if stream:
            with client.stream("POST", "/v1/completions", json=body) as answer:
                next(answer.iter_lines())
        else:
            with pytest.raises(httpx.ReadTimeout):
                client.post("/v1/completions", json=body, timeout=1.0)
        client.close()
        # It is noticed although no step is made.
        eventually(lambda: all(job.gone for job in engine._running.values()))
        allowed.release(3)
        eventually(lambda: engine.stats().running == 0)
        assert len(computed) <= 4  # the one that was waiting to be let, and none after it
