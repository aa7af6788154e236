"""The engine vllm against a stand-in that speaks its API; it was not run against the real one here."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tunesmith.core.errors import TunesmithError
from tunesmith.models.sampling import Sampling
from tunesmith.models.token import Token
from tunesmith.serve.engine import Prompt
from tunesmith.serve.served import TextDeployment
from tunesmith.serve.server import serving
from tunesmith.serve.vllm import process
from tunesmith.serve.vllm.deployment import deploy_vllm
from tunesmith.serve.vllm.engine import VllmEngine

SHORT = Sampling(max_new_tokens=3)
STAND_IN = shlex.join([sys.executable, str(Path(__file__).with_name("stand_in.py"))])


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """Made by the stand-in when somebody went away."""
    return tmp_path / "left"


@pytest.fixture
def served(shared_data: Path, left: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TextDeployment]:
    monkeypatch.setenv(process.SETTING, STAND_IN)
    monkeypatch.setenv("STAND_IN_LEFT", str(left))
    monkeypatch.setattr(process, "_PAUSE_S", 0.0)
    made = deploy_vllm(shared_data / "weights" / "stories260K-hf", name="stories")
    yield made
    made.close()


async def ask(served: TextDeployment, *ids: int, sampling: Sampling = SHORT) -> list[int] | str:
    try:
        return [token.id async for _, token in served.engine.submit([Prompt(ids, sampling)])]
    except TunesmithError as error:
        return error.problems[0].code


def test_it_answers_over_http_as_other_engines_do(served: TextDeployment) -> None:
    with serving([served]) as url:
        body = {"model": "stories", "prompt": [1, 403, 407], "max_tokens": 3, "logprobs": 2}
        answer = httpx.post(f"{url}/v1/completions", json=body, timeout=20).json()
        form = {**body, "prompt": "a", "echo": True}
        refused = httpx.post(f"{url}/v1/completions", json=form, timeout=20)
    assert answer["usage"]["completion_tokens"] == 3
    assert answer["choices"][0]["logprobs"]["token_logprobs"] == [-0.5] * 3
    assert len(answer["choices"][0]["logprobs"]["top_logprobs"][0]) == 2
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "unsupported_parameter")


def test_what_dies_is_started_again_and_who_leaves_is_gone(
    served: TextDeployment, left: Path, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    engine = served.engine
    assert isinstance(engine, VllmEngine)

    async def play() -> None:
        assert await asyncio.gather(ask(served, 5, 6), ask(served, 7)) == [[5, 6, 5], [7, 7, 7]]
        leaving = engine.submit([Prompt([998], replace(SHORT, logprobs=1))])
        _, token = await anext(leaving)
        assert isinstance(token, Token)
        assert token.likelihood is not None
        assert token.likelihood.top == ((3, -0.25),)
        leaving.cancel()
        assert engine.stats().running == 0
        await asyncio.to_thread(eventually, left.exists)
        assert await ask(served, 999) == "S48"
        await asyncio.to_thread(eventually, lambda: not engine.stats().healthy)
        assert await ask(served, 1) == "S48"
        await asyncio.to_thread(eventually, lambda: engine.stats().healthy)
        assert await ask(served, 8, 9) == [8, 9, 8]

    asyncio.run(play())


def test_what_cannot_be_started_says_why(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(process.SETTING, "/nowhere/vllm")
    folder = shared_data / "weights" / "stories260K-hf"
    with pytest.raises(TunesmithError, match="S55"):
        deploy_vllm(folder, name="stories")
    monkeypatch.setenv(process.SETTING, STAND_IN)
    monkeypatch.setenv("STAND_IN_LEFT", "")
    shutil.copytree(folder, tmp_path / "broken")
    with pytest.raises(TunesmithError, match="S56") as error:
        deploy_vllm(tmp_path / "broken", name="stories")
    assert error.value.problems[0].values["status"] == 7
