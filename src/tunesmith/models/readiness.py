"""Whether a model of the user's own does what a task needs: to write, its logits may not look ahead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from tunesmith.core.errors import ModelError
from tunesmith.models.decoder import vocabulary_size
from tunesmith.models.own import OwnModel, code_of

_TOKENS = 8
# Logits of the same tokens may differ by rounding when other tokens stand after them.
_ROUNDING = 1e-4


def to_write(module: nn.Module) -> None:
    """Give a model of the user's own a head where it has no logits, and see that it looks back only.

    Raises:
        ModelError: M43 when it gives no logits [batch, tokens, vocab]; M45 when they depend on later tokens.
    """
    code = code_of(module)
    if code is None:
        return
    vocabulary = vocabulary_size(module)
    if isinstance(module, OwnModel) and module.head is None and module.config.hidden_size != vocabulary:
        module.add_head()
    logits = getattr(module(input_ids=torch.zeros((1, 2), dtype=torch.long)), "logits", None)
    if logits is None or tuple(logits.shape) != (1, 2, vocabulary):
        shown = None if logits is None else list(logits.shape)
        raise ModelError("M43", target=code.target, found=f"[1, 2] -> {shown}, vocab {vocabulary}")
    if (position := looks_ahead(module)) is not None:
        raise ModelError("M45", target=code.target, position=position + 1)


def to_classify(module: nn.Module) -> None:
    """See that a model of the user's own gives hidden states as wide as it says.

    Raises:
        ModelError: M43 when it does not.
    """
    code = code_of(module)
    if code is None:
        return
    states = getattr(module(input_ids=torch.zeros((1, 2), dtype=torch.long)), "last_hidden_state", None)
    width = getattr(module.config, "hidden_size", None)
    if states is None or tuple(states.shape) != (1, 2, width):
        shown = None if states is None else list(states.shape)
        found = f"[1, 2] -> last_hidden_state: {shown}, hidden_size: {width}"
        raise ModelError("M43", target=code.target, found=found)


def looks_ahead(module: nn.Module) -> int | None:
    """The first position whose logits change with the tokens after it, or with how many there are."""
    ids = torch.arange(_TOKENS)[None] % vocabulary_size(module)
    half = _TOKENS // 2
    changed = torch.cat([ids[:, :half], ids[:, :half]], dim=1)
    was_training = module.training
    module.eval()
    try:
        with torch.no_grad(), _without_zeros(module):
            whole, other, short = (_logits(module, given)[:half] for given in (ids, changed, ids[:, :half]))
    finally:
        module.train(was_training)
    bound = _ROUNDING * max(1.0, float(whole.abs().max()))
    gap = torch.maximum((whole - other).abs(), (whole - short).abs()).amax(-1)  # [half]
    found = (gap > bound).nonzero()
    return int(found[0]) if len(found) else None


def _logits(module: nn.Module, ids: Tensor) -> Tensor:
    logits: Tensor = module(input_ids=ids).logits[0]
    return logits


@contextmanager
def _without_zeros(module: nn.Module) -> Iterator[None]:
    """Weights that begin as zeros are noise for a while: they would hide what goes through them."""
    generator = torch.Generator().manual_seed(0)
    zeros = [weight for weight in module.parameters() if not weight.any()]
    for weight in zeros:
        weight.copy_(torch.randn(weight.shape, generator=generator) * 0.1)
    try:
        yield
    finally:
        for weight in zeros:
            weight.zero_()
