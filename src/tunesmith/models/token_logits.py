"""What a head says of every token of many rows, computed in batches of similar length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from tunesmith.models.backbone import Generic, Rows
from tunesmith.models.classifier import batches_by_length
from tunesmith.models.heads import Headed

_TOKENS_AT_ONCE = 8192


def token_logits(module: Headed, rows: Rows) -> Sequence[NDArray[np.float32]]:
    """Logits [tokens, outputs] of each row of token ids."""
    found: dict[int, NDArray[np.float32]] = {}
    backbone = Generic(module.encoder, speaks=False)
    module.eval()
    with torch.inference_mode():
        for batch in batches_by_length([len(row) for row in rows], _TOKENS_AT_ONCE):
            chosen = [rows[i] for i in batch]
            logits = module.logits(backbone.hidden(chosen)).float().cpu().numpy()
            edges = np.cumsum([len(row) for row in chosen])[:-1]
            found.update(zip(batch, np.split(logits, edges), strict=True))
    return [found[i] for i in range(len(rows))]
