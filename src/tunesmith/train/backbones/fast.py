"""What the backbones that are written for speed have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from tunesmith.models.backbone import Head
from tunesmith.train.backbones.copies import Copies, Slot
from tunesmith.train.backbones.maps import NotCoveredError

Layer = Callable[[Tensor], Tensor]
Norm = Callable[[Tensor], Tensor]


class FastBackbone:
    """Copies of a model's parameters in `dtype`, and a way through its layers."""

    can_recompute = True
    pads = False
    shares_from: int | None = None

    def __init__(self, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self._copies = Copies(dtype)
        self._recomputes = False

    def computing(self) -> AbstractContextManager[object]:
        """Nothing: the copies have the right numbers already."""
        return nullcontext()

    def renew(self) -> None:
        """Copy what was learned."""
        self._copies.renew()

    def recompute(self) -> None:
        """Keep nothing of a layer but what goes in (Chen et al. 2016)."""
        self._recomputes = True

    def remember(self, tokens: int, at_most: int) -> int:
        """Nothing."""
        return 0

    def _through(self, layers: Iterable[Layer], x: Tensor) -> Tensor:
        """The hidden states [tokens, hidden] after all layers."""
        for layer in layers:
            # What a layer draws at random follows from a seed that it is given: it can be drawn again.
            x = (
                checkpoint(layer, x, use_reentrant=False, preserve_rng_state=False)
                if self._recomputes
                else layer(x)
            )
        return x

    def _copy(self, parameter: nn.Parameter) -> Tensor:
        return self._copies.of([Slot(parameter)])

    def _layer_norm(self, module: Any, eps: float) -> Norm:
        weight, bias = self._copy(module.weight), self._copy(module.bias)
        return lambda x: functional.layer_norm(x, weight.shape, weight, bias, eps)

    def _output_head(self, module: Any) -> Head:
        """The output head of a language model.

        Raises:
            NotCoveredError: when it is more than a matrix.
        """
        found = module.get_output_embeddings()
        if type(found) is not nn.Linear or found.bias is not None:
            raise NotCoveredError(f"output head {type(found).__name__}")
        weight = self._copy(found.weight)
        return Head(lambda x: functional.linear(x, weight), (weight,))
