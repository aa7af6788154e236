"""The engine of processors: a model is packed once, mapped into memory, and computed by our own kernels."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tunesmith.core.errors import MissingError, UsageError
from tunesmith.serve.admission import Limits
from tunesmith.serve.batch_engine import BatchEngine
from tunesmith.serve.names import Computing, Reason, Weights
from tunesmith.serve.native import plan

if TYPE_CHECKING:
    from torch import nn

    from tunesmith.serve.native.decoder import NativeDecoder

_PLAIN_MAPS = ("Linear", "Conv1D", "Embedding", "GemmaTextScaledWordEmbedding")


class NativeEngine(BatchEngine):
    """Continuous batching of one model by kernels of our own. Close it to end its threads."""

    def __init__(self, decoder: NativeDecoder, weights: Weights, limits: Limits) -> None:
        self.weights = weights
        self._end = decoder.close
        super().__init__(decoder, replace(limits, running_size=decoder.fitting), decoder.bank)

    def close(self) -> None:
        """See `Engine.close`."""
        super().close()
        self._end()


def over(module: nn.Module, limits: Limits, *, digest: str, wished: Computing) -> NativeEngine:
    """The engine of a model; `digest` names its weights, which are packed once.

    Raises:
        MissingError: M03 when llvmlite is not installed.
        UsageError: N06 for a model that is not covered.
        ModelError: N02 when the weights do not fit the configuration.
    """
    if not installed():
        raise MissingError("M03", name="--engine native", package="llvmlite", extra="native")
    if reason := uncovered(module):
        raise UsageError("N06", reason=reason)
    from tunesmith.serve.native import building

    taken = wished.weights or building.own_precision(module)
    decoder = building.decoder(module, digest, taken, limits, kv_cache=wished.kv_cache)
    building.keep(module, digest, wished, taken)
    return NativeEngine(decoder, taken, limits)


def kept(digest: str, limits: Limits, wished: Computing) -> NativeEngine | None:
    """As `over`, of a model that was packed before and is not loaded; None where it has to be."""
    if not installed():
        return None
    from tunesmith.serve.native import building

    found = building.kept(digest, wished, limits)
    return NativeEngine(*found, limits) if found else None


def installed() -> bool:
    """Whether the compiler that this needs is here."""
    return importlib.util.find_spec("llvmlite") is not None


def uncovered(module: nn.Module) -> Reason | None:
    """Which part of a model is not computed here, if there is one."""
    model: Any = module
    if model.device.type != "cpu":
        return plan.lacks("device", model.device.type)
    if not type(model).__module__.startswith("transformers.models."):
        return plan.lacks("own_kind", type(model).__name__)
    if {name for name, _ in model.named_children()} - {"model", "transformer", "lm_head"}:
        return plan.lacks("other_parts")
    strange = next((kind for kind in _maps(model) if kind not in _PLAIN_MAPS), None)
    return plan.lacks("maps", strange) if strange else plan.uncovered(model.config)


def _maps(module: nn.Module) -> list[str]:
    """The kinds of parts that have a matrix of their own."""
    return [
        type(part).__name__
        for part in module.modules()
        if any(parameter.ndim > 1 for parameter in part.parameters(recurse=False))
    ]
