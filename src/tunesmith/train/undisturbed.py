"""Measuring a model in the middle of its training, which goes on as if nobody had looked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def undisturbed(module: nn.Module) -> Iterator[None]:
    """After the block torch's random streams, and which parts of the module are training, are as before."""
    flags = [(part, part.training) for part in module.modules()]
    with torch.random.fork_rng(devices=list(range(torch.cuda.device_count()))):
        try:
            yield
        finally:
            for part, training in flags:
                part.training = training
