"""Predictions out of a process of its own; batches are made here, and outlive the process.

A batch whose process died is tried again request by request: only what breaks the model fails, with S48.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tunesmith.core.errors import TunesmithError
from tunesmith.serve.admission import Limits
from tunesmith.serve.classifier_engine import ClassifierEngine
from tunesmith.serve.engine import Stats
from tunesmith.serve.quarantine import UnaskedError
from tunesmith.serve.served import ServedTask
from tunesmith.serve.worker import forms
from tunesmith.serve.worker.channel import Message
from tunesmith.serve.worker.codec import error_in
from tunesmith.serve.worker.process import Process


class WorkerPredictor(ClassifierEngine[Any, Any]):
    """See `ClassifierEngine`. Close it to end its process."""

    def __init__(self, process: Process, task: ServedTask, limits: Limits) -> None:
        self.process = process
        self._task = task
        self._ready = threading.Event()
        self._answered = threading.Event()
        self._answer_: Message | None = None
        self._asked = 0
        self._closed = False
        self._waits_s = limits.deadline_s
        super().__init__(self._ask, limits)

    def stats(self) -> Stats:
        """What it is doing now."""
        known = super().stats()
        return replace(known, healthy=known.healthy and self.process.up)

    def close(self) -> None:
        """End the process; whoever still waits gets S07."""
        self._closed = True
        self.process.close()
        self._ready.set()
        self._settle_call(None)
        super().close()

    def heard(self, message: Message) -> None:
        """The process says something."""
        if message["is"] != "alive" and message["id"] == self._asked:
            self._settle_call(message)

    def came(self) -> None:
        """The process is ready."""
        self._ready.set()

    def left(self) -> None:
        """The process died."""
        self._ready.clear()
        self._settle_call(None)

    def _settle_call(self, message: Message | None) -> None:
        self._answer_ = message
        self._answered.set()

    def _ask(self, items: Sequence[Any]) -> Any:
        """What the process finds for each item; in the engine's thread, one batch at a time."""
        if self.process.hopeless:
            raise UnaskedError("S50")
        if not self._ready.wait(self._waits_s):
            raise UnaskedError("S48")
        self._asked += 1
        self._answered.clear()
        if self._closed:  # whoever closes has told so before: nobody tells again
            raise UnaskedError("S07")
        if not self._ready.is_set():  # it died just now, and nobody tells again
            raise UnaskedError("S48")
        self.process.send({"do": "predict", "id": self._asked, "items": items})
        self._answered.wait()
        answer = self._answer_
        if answer is None:
            raise TunesmithError("S48")
        if answer["is"] == "refused":
            raise error_in(answer["error"])
        return answer["numbers"] if "numbers" in answer else forms.found_in(self._task, answer["rows"])
