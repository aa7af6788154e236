"""The engine that is always there: continuous batching over a transformers model."""

from __future__ import annotations

from torch import nn

from tunesmith.models.decoder import Decoder
from tunesmith.serve.admission import Limits
from tunesmith.serve.batch_engine import BatchEngine

_REMEMBERED = 256 * 2**20  # bytes, for beginnings of prompts


class TorchEngine(BatchEngine):
    """Continuous batching of one model. Close it to end its thread."""

    def __init__(self, module: nn.Module, limits: Limits) -> None:
        super().__init__(Decoder(module, max_batch=limits.batch, remembered=_REMEMBERED), limits)
