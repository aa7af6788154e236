"""How likely a model finds tokens: one row of logits each, in float32 whatever the model computes in."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from tunesmith.models.token import Likelihood

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Logits that are held at once, as numbers: 256 MiB of float32.
_HELD = 2**26


def likelihoods(logits: Tensor, ids: Sequence[int], top: int) -> list[Likelihood]:
    """Of each id under its row of `logits`, [ids, vocabulary], with the `top` most probable tokens."""
    logprobs = logits.float().log_softmax(-1)
    chosen = logprobs.gather(-1, torch.tensor(ids, device=logits.device)[:, None])[:, 0].tolist()
    best = logprobs.topk(min(top, logprobs.shape[-1]), dim=-1)
    rows = zip(chosen, best.indices.tolist(), best.values.tolist(), strict=True)
    return [Likelihood(own, tuple(zip(tokens, values, strict=True))) for own, tokens, values in rows]


@torch.inference_mode()
def read(module: PreTrainedModel, ids: Sequence[int], top: int) -> list[Likelihood]:
    """Of every id but the first, given those before it.

    A long text is read in pieces, so that the logits of a large vocabulary do not fill the memory.
    """
    from transformers import DynamicCache

    piece = max(1, _HELD // module.config.get_text_config(decoder=True).vocab_size)
    if "past_key_values" not in inspect.signature(module.forward).parameters:
        piece = len(ids)  # it keeps nothing, and would have to read the beginning again
    found, cache = list[Likelihood](), DynamicCache()
    for start in range(0, len(ids) - 1, piece):
        part, following = ids[start : start + piece], ids[start + 1 : start + 1 + piece]
        options = {"past_key_values": cache, "use_cache": True} if piece < len(ids) else {}
        logits = module(input_ids=torch.tensor([list(part)], device=module.device), **options).logits[0]
        found += likelihoods(logits[: len(following)], following, top)
    return found
