"""Our own client: the same calls as a local model, and the server's words when it refuses."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tunesmith.core.errors import MissingError, NotFoundError, TunesmithError, UsageError
from tunesmith.core.store import Store
from tunesmith.models.language import LanguageModel
from tunesmith.models.token import Token
from tunesmith.serve import remote
from tunesmith.serve.async_client import AsyncClient
from tunesmith.serve.client import Client
from tunesmith.serve.deployment import deploy
from tunesmith.serve.server import serving


@pytest.fixture
def client(story_url: str) -> Iterator[Client]:
    with Client(story_url) as client:
        yield client


def test_it_lists_the_models(client: Client) -> None:
    assert client.models() == ["stories", "vowels"]


def test_it_chats_like_the_model_itself(client: Client, stories: LanguageModel) -> None:
    expected = stories.chat("Who is Lily?", max_new_tokens=20)
    assert client.chat("Who is Lily?", max_tokens=20) == expected
    turns = [{"role": "user", "content": "Who is Lily?"}]
    assert "".join(client.stream(turns, model="stories", max_tokens=20)) == expected


def test_it_continues_a_text(client: Client) -> None:
    assert client.complete("Once upon a time", max_tokens=20).startswith(", there was")


def test_it_classifies_one_text_or_many(client: Client) -> None:
    assert [found["label"] for found in client.classify(["aeio", "xyz"])] == ["vowel", "other"]
    assert client.classify("aeio")[0]["probability"] == 1.0


@pytest.mark.parametrize("content", [{"error": "no such model"}, {"error": {"message": "no such model"}}])
def test_it_says_what_other_servers_said(content: Any) -> None:
    request = httpx.Request("POST", "http://127.0.0.1/v1/chat/completions")
    answer = httpx.Response(404, json=content, request=request)
    with pytest.raises(NotFoundError, match="no such model"):
        remote.read(answer)
    with pytest.raises(NotFoundError, match="no such model"):
        remote.event(answer, f"data: {json.dumps(content)}")


def test_it_says_what_the_server_said(client: Client) -> None:
    with pytest.raises(UsageError, match="`modalities` is not supported"):
        client.chat("x", modalities=[])
    with pytest.raises(UsageError, match="does not fit"):
        list(client.stream("x", temperature=5))
    with pytest.raises(NotFoundError, match="nobody"):
        client.chat("x", model="nobody")


def test_an_error_in_the_middle_of_a_stream_is_raised(engine: Any, stories: LanguageModel) -> None:
    from tunesmith.serve.served import TextDeployment

    engine.script = [TunesmithError("S05")]
    fake = TextDeployment(
        name="fake", created=1, tokenizer=stories.tokenizer, contract=stories.contract,
        context=512, vocabulary=512, engine=engine,
    )  # fmt: skip
    with (
        serving([fake]) as url,
        Client(url) as client,
        pytest.raises(TunesmithError, match="the model failed"),
    ):
        list(client.stream("x"))


def test_a_key_is_sent_and_a_missing_one_explained(tmp_path: Path, vowels: Any) -> None:
    store = Store(tmp_path / "store.sqlite")
    _, secret = store.create_key("mine", ("serve",))
    with serving([deploy(vowels)], store=store) as url:
        with Client(f"{url}/v1/", key=secret) as client:
            assert client.models() == ["vowels"]
        with Client(url) as stranger, pytest.raises(UsageError, match="a valid key is needed"):
            stranger.models()
    store.close()


def test_a_model_that_nobody_can_guess_has_to_be_named(vowels: Any) -> None:
    with (
        serving([deploy(vowels)]) as url,
        Client(url) as client,
        pytest.raises(UsageError, match="say which model"),
    ):
        client.chat("hello")


def test_no_server_is_said_plainly() -> None:
    with Client("http://127.0.0.1:9") as client, pytest.raises(MissingError, match="no server answers"):
        client.models()


def test_it_waits_for_a_busy_server_and_for_a_connection_that_broke(
    stories: LanguageModel, engine: Any
) -> None:
    from tunesmith.serve.served import TextDeployment

    refusals: list[TunesmithError | None] = [TunesmithError("S03", waiting=3), None]
    submit, text = engine.submit, stories.tokenizer.encode("Yes").ids

    def busy_at_first(prompts: Any) -> Any:
        engine.refusal = refusals.pop(0) if refusals else None
        return submit(prompts)

    engine.submit = busy_at_first
    engine.script = [Token(handle=0, id=text[-1], likelihood=None, finish="length")]
    fake = TextDeployment(
        name="fake", created=1, tokenizer=stories.tokenizer, contract=stories.contract,
        context=512, vocabulary=512, engine=engine,
    )  # fmt: skip
    with serving([fake]) as url:
        with Client(url, retries=0) as hasty, pytest.raises(TunesmithError, match="busy"):
            hasty.chat("x")
        refusals[:] = [TunesmithError("S03", waiting=3), None]
        begun = time.monotonic()
        with Client(url) as patient:
            assert patient.chat("x")
        assert time.monotonic() - begun >= 1.0  # what Retry-After said
        refusals[:] = [TunesmithError("S03", waiting=3), None]
        with Client(url) as patient:
            assert list(patient.stream("x"))


def test_what_would_be_refused_again_is_sent_once(client: Client) -> None:
    begun = time.monotonic()
    with pytest.raises(UsageError):
        client.chat("x", model="vowels")
    assert time.monotonic() - begun < 1.0


def test_a_served_model_is_used_like_a_local_one(client: Client, stories: LanguageModel, vowels: Any) -> None:
    served, words = client.model("stories"), "Who is Lily?"
    assert served.chat(words, max_new_tokens=12) == stories.chat(words, max_new_tokens=12)
    assert served.generate("The cat", max_new_tokens=9) == stories.generate("The cat", max_new_tokens=9)
    assert "".join(served.stream(words, max_new_tokens=12)) == stories.chat(words, max_new_tokens=12)
    counter = client.model("vowels")
    assert counter.classify(["aeio", "xyz"]) == ["vowel", "other"]
    assert counter.predict(["aexy"]).tolist() == vowels.predict(["aexy"]).tolist()


def test_the_client_that_is_awaited_says_the_same(story_url: str, client: Client) -> None:
    async def play() -> list[Any]:
        async with AsyncClient(story_url) as other:
            pieces = [piece async for piece in other.stream("Who is Lily?", max_tokens=12)]
            together = await asyncio.gather(*(other.complete("The cat", max_tokens=9) for _ in range(3)))
            with pytest.raises(NotFoundError, match="nobody"):
                await other.chat("x", model="nobody")
            return ["".join(pieces), *together, await other.classify("aeio"), await other.tasks()]

    said, *texts, classified, tasks = asyncio.run(play())
    assert said == client.chat("Who is Lily?", max_tokens=12)
    assert texts == [client.complete("The cat", max_tokens=9)] * 3
    assert classified == client.classify("aeio")
    assert tasks == client.tasks() == {"stories": "generate", "vowels": "classify"}


def test_both_clients_have_the_same_calls() -> None:
    def calls(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert calls(Client) - calls(AsyncClient) == {"model"}
    assert calls(AsyncClient) <= calls(Client)
