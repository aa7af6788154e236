"""Which engine computes a language model: our own where it covers the model, else torch, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunesmith.core.errors import TunesmithError, UsageError
from tunesmith.serve.admission import Limits
from tunesmith.serve.batch_engine import BatchEngine
from tunesmith.serve.names import Computing, Reason
from tunesmith.serve.native import engine as native

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """An engine, what it is and, where another was looked for, why it is this one."""

    engine: BatchEngine
    computed: str
    instead: Reason | None = None


def choose(module: nn.Module, limits: Limits, digest: str, wished: Computing) -> Chosen:
    """The engine that is wished for; `auto` takes torch where our own cannot be had.

    Raises:
        MissingError: M03 when the engine native is asked for and its compiler is not installed.
        UsageError: N06 when it is asked for and does not cover the model; N07 for numbers that only it has.
        TunesmithError: where it or its numbers are asked for, N02 when the weights do not fit the
            configuration, N08 and C02 when what it makes cannot be kept.
    """
    if wished.engine == "torch" or (wished.engine == "auto" and not native.installed()):
        if wished.special:
            raise UsageError("N07", numbers=wished.special, engine=wished.engine)
        instead = None if wished.engine == "torch" else _NOT_INSTALLED
        return _torch(module, limits, instead)
    # Without a digest, packed weights would be taken for those of another model.
    reason = native.uncovered(module) or (None if digest else _NO_DIGEST)
    numbers = wished.weights or wished.kv_cache
    if reason and wished.engine == "auto" and numbers is None:
        return _torch(module, limits, reason)
    try:
        made = native.over(module, limits, digest=digest, wished=wished)
    except TunesmithError as error:
        if wished.engine == "native" or numbers is not None:
            raise
        return _torch(module, limits, _reason(error))
    return Chosen(engine=made, computed=f"native {made.weights}")


def kept(digest: str, limits: Limits, wished: Computing) -> Chosen | None:
    """What `choose` would choose for a model that is not loaded; None where it has to be."""
    if wished.engine == "torch":
        return None
    try:
        made = native.kept(digest, limits, wished)
    except TunesmithError:  # which is told when it is chosen
        return None
    return Chosen(engine=made, computed=f"native {made.weights}") if made else None


_NOT_INSTALLED: Reason = {"why": "native.not_installed"}
_NO_DIGEST: Reason = {"why": "native.no_digest"}


def _reason(error: TunesmithError) -> Reason:
    problem = error.problems[0]
    values = {"file": problem.file or "", **problem.values}
    return {"why": problem.code, **{name: str(value) for name, value in values.items()}}


def _torch(module: nn.Module, limits: Limits, instead: Reason | None) -> Chosen:
    from tunesmith.serve.torch_engine import TorchEngine

    return Chosen(engine=TorchEngine(module, limits), computed="torch", instead=instead)


def computing(said: Any) -> Computing:
    """Out of JSON."""
    return Computing(**said)
