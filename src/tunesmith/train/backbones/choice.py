"""Which backbone a learner gets: a fast one where it is covered and computes the same, else its own code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tunesmith.core.events import Warned
from tunesmith.models import soft_prompt
from tunesmith.models.backbone import Backbone, Generic
from tunesmith.models.llama_past import COVERED
from tunesmith.tasks.task import Learner
from tunesmith.train.backbones import bert, gpt2
from tunesmith.train.backbones.bert import BertBackbone
from tunesmith.train.backbones.gpt2 import Gpt2Backbone
from tunesmith.train.backbones.llama import LlamaBackbone
from tunesmith.train.backbones.maps import NotCoveredError

# How far loss and gradients of the fast backbone may be from the float32 ones of the model's own code,
# relative to their size. Autocasting to bfloat16 itself is at about 0.012.
_TOLERANCES = {"float32": 1e-4, "bf16": 0.05}
_DTYPES = {"float32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A backbone, and what the user should know of the choice."""

    backbone: Backbone
    warning: Warned | None = None


def choose(learner: Learner, precision: str, objective: Callable[[Backbone], Tensor]) -> Choice:
    """The backbone of a learner, computing in `precision` (`float32` or `bf16`).

    `objective`: the loss of a few rows, by which a fast backbone is compared with the model's own code.
    """
    speaks = learner.card.kind == "language"
    try:
        fast = _fast(learner.backbone, _DTYPES[precision], speaks=speaks)
    except NotCoveredError:
        return Choice(backbone=own(learner, precision))
    reference = Generic(learner.backbone, speaks=speaks)
    found = _difference(learner.module, lambda: objective(fast), lambda: objective(reference))
    if found <= _TOLERANCES[precision]:
        return Choice(backbone=fast)
    values = {"difference": found, "tolerance": _TOLERANCES[precision], "backbone": type(fast).__name__}
    return Choice(backbone=own(learner, precision), warning=Warned(code="T50", values=values))


def own(learner: Learner, precision: str) -> Backbone:
    """The model's own code."""
    return Generic(learner.backbone, speaks=learner.card.kind == "language", precision=precision)


def frozen(module: nn.Module, precision: str, row: NDArray[np.integer[Any]]) -> Backbone:
    """The backbone of a language model that does not learn, computing in `precision`.

    A fast one must give the hidden states of the model's own code for `row`.
    """
    module.requires_grad_(requires_grad=False).eval()
    reference = Generic(module, speaks=True)
    try:
        fast = _fast(module, _DTYPES[precision], speaks=True)
    except NotCoveredError:
        return Generic(module, speaks=True, precision=precision)
    with torch.no_grad():
        found, wanted = (which.hidden([row]).double() for which in (fast, reference))
    if float((found - wanted).norm() / wanted.norm()) <= _TOLERANCES[precision]:
        return fast
    return Generic(module, speaks=True, precision=precision)


def _fast(module: nn.Module, dtype: torch.dtype, *, speaks: bool) -> Backbone:
    name = str(getattr(module.config, "model_type", ""))
    if next(module.parameters()).is_cuda and name not in COVERED:
        raise NotCoveredError("attention with dropout on a graphics processor")
    if soft_prompt.of(module):
        raise NotCoveredError("a tuned prompt")
    if speaks and name in COVERED:
        return LlamaBackbone(module, dtype)
    if speaks and name in gpt2.COVERED:
        return Gpt2Backbone(module, dtype)
    if not speaks and name in bert.COVERED:
        return BertBackbone(module, dtype)
    raise NotCoveredError(f"model type {name}")


def _difference(module: nn.Module, loss: Callable[[], Tensor], reference: Callable[[], Tensor]) -> float:
    """The distance of two losses, or that of their gradients if it is larger, relative to the reference."""
    learned = [p for p in module.parameters() if p.requires_grad]
    with _without_dropout(module), torch.random.fork_rng(devices=[]):
        (value, found), (right, wanted) = (_gradients(learned, which) for which in (loss, reference))
    # What nothing depends on has no gradient on either side.
    pairs = [(f, w) for f, w in zip(found, wanted, strict=True) if f is not None or w is not None]
    if any(f is None or w is None for f, w in pairs):
        return float("inf")
    apart = sum(float((f - w).double().square().sum()) for f, w in pairs if f is not None and w is not None)
    size = sum(float(w.double().square().sum()) for _, w in pairs if w is not None)
    gradients = (apart / size) ** 0.5 if size else float(apart > 0)
    # A loss near 0 is the rounded difference of larger numbers. What is not a number stays so.
    return float(np.max([abs(value - right) / max(abs(right), 1.0), gradients]))


def _gradients(
    parameters: list[nn.Parameter], loss: Callable[[], Tensor]
) -> tuple[float, list[Tensor | None]]:
    """A loss, and its gradient for each of the parameters."""
    value = loss()
    value.backward()
    found = [parameter.grad for parameter in parameters]
    for parameter in parameters:
        parameter.grad = None
    return float(value.detach()), found


@contextmanager
def _without_dropout(module: nn.Module) -> Iterator[None]:
    was_training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(was_training)
