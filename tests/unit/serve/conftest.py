"""A served model, an engine whose pace the test sets, and a wait that ends as soon as it may."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from tunesmith.core.errors import TunesmithError
from tunesmith.models.language import LanguageModel
from tunesmith.models.loading import load
from tunesmith.models.resolve import Resolved
from tunesmith.models.token import Token
from tunesmith.serve.deployment import deploy
from tunesmith.serve.engine import Prompt, Stats, TokenStream
from tunesmith.serve.served import Deployment
from tunesmith.serve.server import serving


@pytest.fixture(scope="session")
def stories(shared_data: Path) -> LanguageModel:
    """A small language model that tells stories."""
    folder = shared_data / "weights" / "stories260K-hf"
    model = load(Resolved(name="stories", folder=folder))
    assert isinstance(model, LanguageModel)
    return model


class Vowels:
    """A classifier that can be understood: how many of a text's letters are vowels."""

    name = "vowels"
    labels = ("vowel", "other")

    def __init__(self) -> None:
        self.batches: list[int] = []

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        self.batches.append(len(texts))
        if any(text == "poison" for text in texts):
            raise RuntimeError("a text that breaks the model")
        share = np.array([sum(c in "aeiou" for c in t) / max(1, len(t)) for t in texts])
        return np.stack([share, 1 - share], axis=1)


@pytest.fixture
def vowels() -> Vowels:
    return Vowels()


class FakeEngine:
    """Keeps what is submitted and says nothing until the test lets it."""

    def __init__(self) -> None:
        self.submitted: list[Sequence[Prompt]] = []
        self.stopped: list[int] = []
        self.refusal: TunesmithError | None = None
        self.script: list[Token | TunesmithError] = []
        self.crash: Exception | None = None

    def submit(self, prompts: Sequence[Prompt]) -> TokenStream:
        if self.crash or self.refusal:
            raise self.crash or self.refusal  # type: ignore[misc]
        self.submitted.append(prompts)
        stream = TokenStream(len(prompts), deadline_s=20, on_stop=self.stopped.append)
        for item in self.script:
            stream.put(0, item)
        return stream

    def stats(self) -> Stats:
        running = len(self.submitted) - len(self.stopped)
        return Stats(running=running, waiting=0, waiting_size=0, healthy=self.refusal is None)

    def close(self) -> None:
        """Nothing to stop."""


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture(scope="session")
def story_url(stories: LanguageModel) -> Iterator[str]:
    """A server of the story teller, called `stories` and `teller`, and of the vowel counter."""
    deployments: list[Deployment] = [deploy(stories, aliases=["teller"]), deploy(Vowels())]
    with serving(deployments) as url:
        yield url


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait until a condition holds; fail when it does not within a minute."""

    def wait(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 60  # a busy machine; who passes does not wait
        while not condition():
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.005)

    return wait


@pytest.fixture
def tokenizer(stories: LanguageModel) -> Tokenizer:
    return stories.tokenizer
