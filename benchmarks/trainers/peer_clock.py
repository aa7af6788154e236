"""The clock of transformers' Trainer and of what is built on it: a callback."""

from __future__ import annotations

import time
from typing import Any

import job
from transformers import TrainerCallback


class Clock(TrainerCallback):
    """Seconds from the beginning of each step to its end, and the losses that are logged."""

    def __init__(self) -> None:
        self.told = job.Told()
        self.began = 0.0

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        self.began = time.perf_counter()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.told.step(time.perf_counter() - self.began)

    def on_log(self, _args: Any, _state: Any, _control: Any, logs: dict | None = None, **__: Any) -> None:
        if logs and "loss" in logs:
            self.told.losses.append(float(logs["loss"]))
