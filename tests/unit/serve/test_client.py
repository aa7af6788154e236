"""Our own client: the same calls as a local model, and the server's words when it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core.errors import MissingError, NotFoundError, TunesmithError, UsageError
from tunesmith.core.store import Store
from tunesmith.models.language import LanguageModel
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
