"""What the process of an engine does: begins and stops sequences, predicts, and says that it lives."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from tunesmith.core.errors import TunesmithError
from tunesmith.models.loading import load
from tunesmith.models.resolve import Resolved
from tunesmith.models.sampling import Sampling
from tunesmith.serve import choice
from tunesmith.serve.admission import Limits
from tunesmith.serve.deployment import deploy, deploy_kept
from tunesmith.serve.engine import Item, Prompt, TokenStream
from tunesmith.serve.grammar import Compiled, grammars_of
from tunesmith.serve.served import Deployment, TextDeployment
from tunesmith.serve.worker import forms
from tunesmith.serve.worker.adapters import Adapters
from tunesmith.serve.worker.beat import Beat
from tunesmith.serve.worker.channel import Channel, Message, write
from tunesmith.serve.worker.codec import error_out, item_out, prompt_in

_TURN_S = 1.0
_STUCK_S = 120.0  # whose loop has not turned for so long will not turn again
# How a model of each kind is tried out before it serves; one that writes, by its engine.
_TRIALS: Mapping[str, Callable[[Any], object]] = {
    "classifier": lambda model: model.predict(["a"]),
    "embedder": lambda model: model.embed(["a"]),
    "scorer": lambda model: model.score(["a"]),
    "tagger": lambda model: model.tag(["a"]),
}


class Computing:
    """A model with its engine, and the channel to the server.

    Raises:
        TunesmithError: when the model cannot be loaded.
    """

    def __init__(self, wishes: Message, channel: Channel) -> None:
        # How much may wait is the server's affair; here is only what it lets through.
        limits = replace(Limits(**wishes["limits"]), queue_requests=sys.maxsize, queue_size=sys.maxsize)
        self._deployment, digest = _deployment(wishes, limits)
        self._adapters = Adapters(self._deployment, digest)
        self._channel = channel
        self._streams: dict[int, TokenStream] = {}
        self._items: list[list[Any]] = []  # told together at the end of a turn of the loop
        self._handlers: dict[str, Callable[[Message], None]] = {
            "begin": self._begin,
            "stop": self._stop,
            "predict": self._predict,
            "adopt": self._adopt,
            "part": self._part,
        }
        self._predicting: asyncio.Task[None] | None = None
        self._adopting: dict[str, list[Message]] = {}  # by adapter, what is to be done when it was read
        self._reading: set[asyncio.Task[None]] = set()

    def run(self, listen: Callable[[Callable[[Message], None]], None], beat: Beat) -> None:
        """Say that the model is ready, then do what is heard through `listen`, for ever."""
        asyncio.run(self._live(listen, beat))

    async def _live(self, listen: Callable[[Callable[[Message], None]], None], beat: Beat) -> None:
        self._loop = asyncio.get_running_loop()
        self._turned = time.monotonic()
        beat.state = self._state
        try:
            await self._try_out()
        except TunesmithError as error:
            self._tell({"is": "failed", "error": error_out(error)})
            return
        self._tell({"is": "ready", **forms.facts(self._deployment)})
        listen(self._soon)
        while True:
            self._turned = time.monotonic()
            await asyncio.sleep(_TURN_S)

    async def _try_out(self) -> None:
        if isinstance(self._deployment, TextDeployment):
            trial = Prompt([0], Sampling(max_new_tokens=1))
            async for _ in self._deployment.engine.submit([trial]):
                pass

    def _state(self) -> Message | None:
        if time.monotonic() - self._turned > _STUCK_S:
            return None
        return {"is": "alive", "healthy": self._deployment.engine.stats().healthy}

    def _soon(self, message: Message) -> None:
        self._loop.call_soon_threadsafe(self._do, message)

    def _do(self, message: Message) -> None:
        adapter = (message.get("prompt") or message).get("adapter")
        waiting = self._adopting.get(adapter or "")
        if waiting is None:
            self._handlers[message["do"]](message)
        else:
            waiting.append(message)

    def _begin(self, message: Message) -> None:
        identity, grammars = message["id"], list[Compiled]()
        deployment = self._deployment
        if not isinstance(deployment, TextDeployment):
            return

        def compiled(source: str) -> Compiled:
            prompt = message["prompt"]
            tokenizer = self._tokenizer(deployment, prompt["adapter"])
            known = grammars_of(tokenizer, deployment.vocabulary, tuple(prompt["sampling"]["stop_ids"]))
            grammars.append(known.compiled(source, "response_format"))
            return grammars[0]

        def sink(_: int, item: Item | TunesmithError) -> None:
            failed = any(grammar.failed for grammar in grammars)
            self._note(identity, TunesmithError("S39") if failed else item)

        try:
            stream = deployment.engine.submit([prompt_in(message["prompt"], compiled)])
        except Exception as error:
            self._note(identity, _told(error))
        else:
            stream.divert(sink)
            self._streams[identity] = stream

    def _tokenizer(self, deployment: TextDeployment, adapter: str | None) -> Tokenizer:
        return self._adapters.tokenizers.get(adapter or "", deployment.tokenizer)

    def _adopt(self, message: Message) -> None:
        """One more adapter. While its files are read, others are served and what is about it waits."""
        self._adopting[message["adapter"]] = []
        task = self._loop.create_task(self._adopted(message["adapter"], Path(message["folder"])))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _adopted(self, name: str, folder: Path) -> None:
        """Read an adapter, which is tried out before it serves."""

        def sink(_: int, item: Item | TunesmithError) -> None:
            self._tell_adopted(name, item if isinstance(item, TunesmithError) else None)

        try:
            await asyncio.to_thread(self._adapters.read, name, folder)
            self._adapters.try_out(name).divert(sink)
        except Exception as error:
            self._tell_adopted(name, _told(error))
        for waiting in self._adopting.pop(name):
            self._do(waiting)

    def _tell_adopted(self, name: str, error: TunesmithError | None) -> None:
        self._tell({"is": "adopted", "adapter": name, "error": error_out(error) if error else None})

    def _part(self, message: Message) -> None:
        self._adapters.remove(message["adapter"])

    def _stop(self, message: Message) -> None:
        if stream := self._streams.pop(message["id"], None):
            stream.stop(0)

    def _note(self, identity: int, item: Item | TunesmithError) -> None:
        """Tell an item; all those of a step go together."""
        if not self._items:
            self._loop.call_soon(self._tell_items)
        self._items.append([identity, *item_out(item)])
        if isinstance(item, TunesmithError) or item.finish:
            self._streams.pop(identity, None)

    def _tell_items(self) -> None:
        items, self._items = self._items, []
        self._tell({"is": "items", "items": items})

    def _predict(self, message: Message) -> None:
        self._predicting = self._loop.create_task(self._found(message))

    async def _found(self, message: Message) -> None:
        try:
            asked = forms.asked_in(self._deployment.task, message["items"])
            found = await asyncio.to_thread(self._compute, asked)
            numbers = found if isinstance(found, np.ndarray) else None
            rows = None if isinstance(found, np.ndarray) else found
            told = write({"is": "found", "id": message["id"], "rows": rows}, numbers)
        except Exception as error:
            self._tell({"is": "refused", "id": message["id"], "error": error_out(_told(error))})
        else:
            self._channel.send(told)

    def _compute(self, asked: Sequence[Any]) -> Any:
        if isinstance(self._deployment, TextDeployment):
            raise TunesmithError("S05")
        return self._deployment.engine.compute(asked)

    def _tell(self, message: Message) -> None:
        self._channel.send(write(message))


def _deployment(wishes: Message, limits: Limits) -> tuple[Deployment, str]:
    """What serves a model, and the digest of its weights, if it has one."""
    name, folder = wishes["name"], Path(wishes["folder"])
    wished = choice.computing(wishes["computing"])
    if kept := deploy_kept(folder, name=name, limits=limits, computing=wished):
        return kept
    model = load(Resolved(name=name, folder=folder))
    _TRIALS.get(model.kind, lambda _: None)(model)
    return deploy(model, limits=limits, computing=wished), getattr(model, "digest", "")


def _told(error: Exception) -> TunesmithError:
    """What a request is told that failed; what nobody expected is noted here."""
    if isinstance(error, TunesmithError):
        return error
    sys.stderr.write(f"a request could not be computed: {error!r}\n")
    return TunesmithError("S05")
