"""One process for a base and the adapters on it: each is a model of its own to whoever asks.

Adapters come and go while it computes. When it dies and is started again it is told of all that are there.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tunesmith.core.errors import TunesmithError
from tunesmith.models import card, language
from tunesmith.models import tokenizer as tokenizers
from tunesmith.serve.admission import Limits
from tunesmith.serve.engine import Prompt, Stats, TokenStream
from tunesmith.serve.names import ANYHOW, Computing
from tunesmith.serve.served import TextDeployment
from tunesmith.serve.worker.channel import Message
from tunesmith.serve.worker.codec import error_in
from tunesmith.serve.worker.deployment import wishes
from tunesmith.serve.worker.process import Process
from tunesmith.serve.worker.worker_engine import WorkerEngine

_PATIENCE_S = 300.0  # an adapter is read from a disk


class SharedBase:
    """The model of `folder`, called `name`, and adapters on it. It ends when the last of them is closed.

    Raises:
        ModelError: what loading the model raises.
        TunesmithError: S49 when the process ends before the model is ready.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        limits: Limits | None = None,
        computing: Computing = ANYHOW,
    ) -> None:
        limits = limits or Limits()
        self.folder, self.name = folder, name
        self.closed = False
        self._process = Process(wishes(folder, name, limits, computing))
        try:
            self._facts = self._process.facts()
        except BaseException:
            self._process.close()
            raise
        self._engine = WorkerEngine(self._process, limits)
        self._numbers = itertools.count()
        self._adapters: dict[str, Path] = {}
        self._parts: Counter[str | None] = Counter()  # by adapter, how many serve it; None is the base
        self._changing = threading.Lock()
        self._answers: dict[str, Message | None] = {}
        self._answered = threading.Condition()
        self._process.listen(self)

    @property
    def pid(self) -> int:
        """The id of the process that is there now."""
        return self._process.pid

    def deploy(self, folder: Path, *, name: str, aliases: Sequence[str] = ()) -> TextDeployment:
        """Serve an adapter, or the base by itself, under these names.

        Raises:
            ModelError: S62 for an adapter of another base, M21 for one that does not fit.
            TunesmithError: S48 when the process died meanwhile, S07 when it is closed.
        """
        tokenizer = tokenizers.load(folder)
        contract = language.contract_of(folder, tokenizer)
        with self._changing:
            if self.closed:
                raise TunesmithError("S07")
            # A number, because two labels may lead to one release.
            adapter = None if folder == self.folder else f"{name} {next(self._numbers)}"
            self._parts[adapter] += 1
        if adapter is not None:
            self._adopt(adapter, folder)
        return TextDeployment(
            name=name,
            aliases=tuple(aliases),
            created=int(time.time()),
            tokenizer=tokenizer,
            contract=contract,
            context=min(contract.context or card.read(folder).context, self._facts["context"]),
            vocabulary=self._facts["vocabulary"],
            engine=Part(self, self._engine, adapter),
            computed=self._facts["computed"],
            instead=self._facts["instead"],
            base=self.name,
        )

    def part(self, adapter: str | None) -> None:
        """Serve an adapter, or the base by itself, no longer."""
        with self._changing:
            self._parts[adapter] -= 1
            if self._parts[adapter] <= 0:
                del self._parts[adapter]
                self._engine.end(adapter)
            if adapter in self._adapters:
                self._adapters = {name: folder for name, folder in self._adapters.items() if name != adapter}
                self._process.send({"do": "part", "adapter": adapter})
            self._close_if_idle()

    def close_if_unused(self) -> None:
        """End the process if nothing is served by it."""
        with self._changing:
            self._close_if_idle()

    def heard(self, message: Message) -> None:
        """The process says something."""
        if message["is"] != "adopted":
            self._engine.heard(message)
            return
        with self._answered:
            if message["adapter"] in self._answers:
                self._answers[message["adapter"]] = message
                self._answered.notify_all()

    def came(self) -> None:
        """The process is ready; it knows no adapters yet."""
        for adapter, folder in self._adapters.items():
            self._send(adapter, folder)
        self._engine.came()

    def left(self) -> None:
        """The process died."""
        self._engine.left()
        with self._answered:
            self._answers = {adapter: {"is": "lost"} for adapter in self._answers}
            self._answered.notify_all()

    def _close_if_idle(self) -> None:
        if not self._parts and not self.closed:
            self.closed = True
            self._engine.close()

    def _adopt(self, adapter: str, folder: Path) -> None:
        """Have the process read an adapter and try it out."""
        with self._changing:
            self._adapters = self._adapters | {adapter: folder}
        try:
            self._try(adapter, folder)
        except BaseException:
            self.part(adapter)
            raise

    def _try(self, adapter: str, folder: Path) -> None:
        with self._answered:
            self._answers[adapter] = None
            if self._process.up:  # else it hears nothing, and nobody would answer
                self._send(adapter, folder)
                self._answered.wait_for(lambda: self._answers[adapter] is not None, _PATIENCE_S)
            answer = self._answers.pop(adapter)
        if answer is None or answer["is"] == "lost":
            raise TunesmithError("S48")
        if answer["error"]:
            raise error_in(answer["error"])

    def _send(self, adapter: str, folder: Path) -> None:
        self._process.send({"do": "adopt", "adapter": adapter, "folder": str(folder)})


class Part:
    """The engine of one adapter, or of the base by itself; see `Engine`."""

    def __init__(self, base: SharedBase, engine: WorkerEngine, adapter: str | None) -> None:
        self._base = base
        self._engine = engine
        self._adapter = adapter
        self._closed = False

    def submit(self, prompts: Sequence[Prompt]) -> TokenStream:
        """Begin the sequences of one request; see `Engine.submit`."""
        if self._closed:
            raise TunesmithError("S07")
        return self._engine.submit([replace(prompt, adapter=self._adapter) for prompt in prompts])

    def stats(self) -> Stats:
        """What it is doing now."""
        return self._engine.stats_of(self._adapter)

    def close(self) -> None:
        """Serve it no longer; whoever still waits gets S07."""
        if not self._closed:
            self._closed = True
            self._base.part(self._adapter)
