"""The settings by which a training fits into memory; one that would not fit is refused before it begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Literal

from tunesmith.core.errors import MemoryShortError, ModelError
from tunesmith.core.memory import available_memory_bytes
from tunesmith.models import quantized
from tunesmith.train import footprint, precision, sizes
from tunesmith.train.footprint import Footprint

if TYPE_CHECKING:
    from tunesmith.train.stepper import Stepper

# How much of the machine `auto` plans with: the rest is for the data, evaluation and other programs. What is
# free at the moment decides about refusal, and about what is remembered, which changes no byte: a run must
# come to the same ones on a busy machine.
_SHARE = 0.6
_ENDLESS = 2**62
_QUANTIZED: tuple[Literal["int8", "int4"], ...] = ("int8", "int4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Bytes of memory of the machine, by which `auto` chooses, and those that are free now. None: unknown."""

    machine: int | None = None
    free: int | None = None

    @classmethod
    def now(cls, machine: int | None, sharers: int = 1) -> Room:
        """The room that there is at this moment for each of some processes that share the machine.

        Where there are graphics processors it is that of the one which this process uses.
        """
        import torch

        if torch.cuda.is_available():
            left, whole = torch.cuda.mem_get_info()
            return cls(machine=whole, free=left)
        free = available_memory_bytes()
        return cls(
            machine=None if machine is None else machine // sharers,
            free=None if free is None else free // sharers,
        )


def fit(stepper: Stepper, room: Room) -> bool:
    """Set the size of micro-batches and whether blocks are kept, as the settings say or as room allows.

    What is remembered of layers that do not learn takes half of what is left at most. Returns whether blocks
    are computed again.

    Raises:
        MemoryShortError: T06 naming settings that would fit, T07 when none is known.
        ModelError: T08 when blocks are to be computed again and the model cannot.
    """
    settings = stepper.settings
    if room == Room() and settings.checkpointing is not True:
        return False
    found = footprint.measure(stepper)
    planned = None if room.machine is None else room.machine * _SHARE
    stepper.tokens = _tokens(stepper, found, planned)
    is_large = planned is not None and found.need(stepper.tokens) > planned
    wise = settings.checkpointing == "auto" and is_large and stepper.backbone.can_recompute
    again = settings.checkpointing is True or wise
    if again:
        found = without_blocks(stepper, found)
    need = found.need(stepper.tokens)
    if room.free is not None and need > room.free:
        raise _too_much(stepper, found, room.free)
    if room.free is not None:
        remember(stepper, (room.free - need) // 2)
    return again


def remember(stepper: Stepper, at_most: int = _ENDLESS) -> int:
    """How many bytes the backbones will come to remember; the teacher's has what the other leaves of them."""
    total, tokens = 0, int(stepper.lengths.sum())
    for backbone in stepper.backbones:
        total += backbone.remember(tokens, at_most - total)
    return total


def _tokens(stepper: Stepper, found: Footprint, planned: float | None) -> int:
    """The micro-batch asked for; or the largest that fits, and the smallest where none does."""
    wanted, choices = stepper.settings.micro_batch_tokens, sizes.choices(stepper.task)
    if isinstance(wanted, int):
        return wanted
    fits = (n for n in choices if planned is None or found.need(n) <= planned)
    return next(fits, choices[-1])


def without_blocks(stepper: Stepper, whole: Footprint) -> Footprint:
    """Compute blocks again in the backward pass in place of keeping them; returns the footprint of that.

    Raises:
        ModelError: T08 when the model cannot.
    """
    model = stepper.learner.backbone
    if not stepper.backbone.can_recompute:
        raise ModelError("T08", model=type(model).__name__)
    stepper.backbone.recompute()
    layers = int(getattr(model.config, "num_hidden_layers", 1))
    return replace(footprint.measure(stepper), again=whole.row // layers)


def _too_much(stepper: Stepper, found: Footprint, free: int) -> MemoryShortError:
    ways = ", ".join(f"`{way}`" for way in _ways(stepper, found, free))
    return MemoryShortError(
        "T06" if ways else "T07",
        need=_megabytes(found.need(stepper.tokens)),
        free=_megabytes(free),
        tokens=stepper.tokens,
        length=found.length,
        ways=ways,
    )


def _ways(stepper: Stepper, found: Footprint, free: int) -> Iterator[str]:
    """Settings under which it would fit, each for itself."""
    settings, tokens = stepper.settings, stepper.tokens
    smaller = [n for n in sizes.choices(stepper.task) if n < tokens and found.need(n) <= free]
    if smaller:
        yield f"train.micro_batch_tokens: {smaller[0]}"
    keeps = found.again == 0 and stepper.backbone.can_recompute
    if keeps and without_blocks(stepper, found).need(tokens) <= free:
        yield "train.checkpointing: true"
    # Adapters and what the optimizer remembers of them are small beside the model.
    if settings.method.name == "full" and replace(found, state=0).need(tokens) <= 0.9 * free:
        yield "train.method: lora"
    yield from (
        f"train.method.base: {numbers}" for numbers in _bases(stepper, found.need(tokens) - 0.9 * free)
    )


def _bases(stepper: Stepper, missing: float) -> Iterator[Literal["int8", "int4"]]:
    """The most exact numbers for the weights of a frozen base that make so many bytes free."""
    settings, model = stepper.settings, stepper.learner.backbone
    if settings.method.settings.get("base") == "float32":
        bits = 16 if precision.resolve(settings.precision, model) == "bf16" else 32
        enough = (n for n in _QUANTIZED if quantized.saved(model, n, bits) >= missing)
        yield from islice(enough, 1)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"
