"""What the peers share: the clock of transformers' Trainer, a callback, and which numbers they compute in."""

from __future__ import annotations

import time
from typing import Any

import job
import torch
from transformers import TrainerCallback


def is_fast_at_bfloat16(device: str) -> bool:
    """Whether the device multiplies bfloat16 by itself; a processor that does not takes ages."""
    able = torch.cpu.get_capabilities()
    return device != "cpu" or any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


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
