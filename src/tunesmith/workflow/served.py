"""A model at an address: of our own server by the route of its task, of any other by OpenAI's chat."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from tunesmith.core.errors import MissingError, ModelError, NotFoundError, TunesmithError, UsageError
from tunesmith.core.registry import suggestion
from tunesmith.core.workspace import Workspace
from tunesmith.models import endpoint as endpoints
from tunesmith.models.endpoint import Endpoint
from tunesmith.models.hosted import HostedModel
from tunesmith.serve.client import Client
from tunesmith.workflow import measuring, spans

if TYPE_CHECKING:
    import polars as pl

    from tunesmith.eval.outcome import Outcome
    from tunesmith.models.reader import Answer
    from tunesmith.models.tagger import Entity
    from tunesmith.tasks.task import Task

# Texts of one request.
_AT_ONCE = 256
OWN = ("classify", "embed", "score", "tag", "answer", "translate", "summarise")
"""The tasks that have a route of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A model behind a route of our server; `task` is what it does there."""

    name: str
    model: str
    task: str
    url: str
    kind: str = field(default="served", init=False)

    @property
    def digest(self) -> str:
        """The sha256 of the address: what is behind it nobody can see."""
        return hashlib.sha256(self.name.encode()).hexdigest()

    def classify(self, texts: Sequence[str]) -> tuple[list[str], np.ndarray[Any, Any]]:
        """The labels and of each text their probabilities [texts, labels]."""
        data = self._each(texts, Client.classify)
        labels = list(data[0]["probabilities"]) if data else []
        shares = [[row["probabilities"][label] for label in labels] for row in data]
        return labels, np.array(shares, dtype=np.float32).reshape(len(data), len(labels))

    def embed(self, texts: Sequence[str]) -> np.ndarray[Any, Any]:
        """The vector of each text, [texts, width]."""
        return np.array(self._each(texts, Client.embed), dtype=np.float32)

    def score(self, texts: Sequence[str]) -> np.ndarray[Any, Any]:
        """The number of each text, [texts]."""
        return np.array(self._each(texts, Client.score), dtype=np.float32)

    def tag(self, texts: Sequence[str]) -> list[list[Entity]]:
        """The entities of each text."""
        return self._each(texts, lambda client, part, model: client.model(model).tag(part))

    def answer(self, questions: Sequence[str], texts: Sequence[str]) -> list[Answer]:
        """The answer to each question from the text beside it."""

        def ask(client: Client, part: list[tuple[str, str]], model: str) -> list[Answer]:
            asked, given = zip(*part, strict=True)
            return client.model(model).answer(asked, given)

        return self._each(list(zip(questions, texts, strict=True)), ask)

    def rewrite(self, texts: Sequence[str]) -> list[str]:
        """The translation or summary of each text."""
        return self._each(texts, Client.translate if self.task == "translate" else Client.summarise)

    def _each(self, items: Sequence[Any], ask: Callable[..., list[Any]]) -> list[Any]:
        parts = (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
        with Client(self.url) as client:
            return [one for part in parts for one in ask(client, list(part), model=self.model)]


def is_address(name: str) -> bool:
    """Whether a model is named by where it is served: URL#MODEL."""
    return name.startswith(("http://", "https://"))


def find(address: str, workspace: Workspace) -> Served | HostedModel:
    """The model at URL#MODEL, or the only one there; its answers are not kept, nor counted.

    Raises:
        UsageError: M64 when the URL is not safe; S33 when a model has to be named.
        MissingError: S32 when no server answers.
        NotFoundError: M01 when the server has no such model.
    """
    url, _, wanted = address.partition("#")
    endpoints.check_url(url)
    known = _tasks(url)
    model = wanted or _only(list(known))
    if known and model not in known:
        raise NotFoundError("M01", name=address, **suggestion(model, list(known)))
    task = known.get(model)
    if task in OWN:
        return Served(name=address, model=model, task=str(task), url=url)
    root = url if urlsplit(url).path.strip("/") else url.rstrip("/") + "/v1"
    endpoint = Endpoint(name=address, url=root, model=model)
    return HostedModel(endpoint=endpoint, workspace=workspace, is_kept=False, task="chat")


def _tasks(url: str) -> dict[str, str | None]:
    """What is served there; nothing of a server that does not tell."""
    try:
        with Client(url) as client:
            return client.tasks()
    except MissingError:
        raise
    except TunesmithError:
        return {}


def _only(known: list[str]) -> str:
    if len(known) != 1:
        raise UsageError("S33", known=", ".join(known) or "-")
    return known[0]


def outcome(task: Task, model: Served, frame: pl.DataFrame) -> Outcome:
    """What a served model does on rows.

    Raises:
        ModelError: M14 when the model is not made for this task.
    """
    if task.name != model.task:
        raise ModelError("M14", name=model.name, wanted=task.name, task=model.task)
    match model.task:
        case "classify":
            return measuring.labelled(task, frame, *model.classify(frame["text"].to_list()))
        case "embed":
            return measuring.embedded(task, model, frame)
        case "tag":
            return spans.tagged(frame, model)
        case "answer":
            return spans.answered(frame, model)
        case "score":
            return measuring.scored(frame, model.score(frame["text"].to_list()))
        case _:
            return measuring.written(frame, model.rewrite(frame["source"].to_list()), frame["_row"].to_list())
