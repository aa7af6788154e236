"""The engine that is always there: continuous batching over a transformers model."""

from __future__ import annotations

from torch import nn

from tunesmith.models.bank import Bank
from tunesmith.models.decoder import Decoder
from tunesmith.serve.admission import Limits
from tunesmith.serve.batch_engine import BatchEngine

_REMEMBERED = 256 * 2**20  # bytes, for beginnings of prompts


class TorchEngine(BatchEngine):
    """Continuous batching of one model, and of adapters on it. Close it to end its thread."""

    def __init__(self, module: nn.Module, limits: Limits) -> None:
        bank = Bank(module)
        made = Decoder(module, max_batch=limits.batch, remembered=_REMEMBERED, bank=bank)
        super().__init__(made, limits, bank)
