"""The processes that train together, as a training sees them. One process alone is a group too.

All of a group call the same methods in the same order. It knows no data, no model and no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from tunesmith.core import durable
from tunesmith.train.parallel.cuts import WHOLE, Cuts

if TYPE_CHECKING:
    from torch import Tensor, nn

T = TypeVar("T")


class LeftError(Exception):
    """The first process failed where the others waited for it; it is the one that says why."""


class Group(Protocol):
    """`rank` counts the processes from 0, `size` is how many there are, `beside` how many on this machine."""

    @property
    def rank(self) -> int: ...  # noqa: D102

    @property
    def size(self) -> int: ...  # noqa: D102

    @property
    def beside(self) -> int: ...  # noqa: D102

    @property
    def cuts(self) -> Cuts:
        """Which rows of which weights this process has."""
        ...

    def parameters(self, module: nn.Module) -> dict[str, nn.Parameter]:
        """The parameters of a module, or what this process has of them, by name."""
        ...

    def deal(self, count: int) -> list[tuple[int, bool]]:
        """The numbers of the parts of a step that this process computes, and whether they count."""
        ...

    def add_up(self, parameters: Iterable[nn.Parameter], loss: float) -> float:
        """Give every parameter the sum of its gradients over the processes; returns the sum of the losses."""
        ...

    def clip(self, parameters: Iterable[nn.Parameter], limit: float) -> float:
        """Scale the gradients so that their norm is at most the limit; returns what it was."""
        ...

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum of a tensor over the processes; it has the same shape in all of them."""
        ...

    def any(self, *said: bool) -> tuple[bool, ...]:
        """For each thing said, whether any process says so."""
        ...

    def first(self, action: Callable[[], T]) -> T:
        """What the action, carried out by the first process alone, comes to. It must be JSON.

        Raises:
            LeftError: in the others, when it failed in the first.
        """
        ...

    def in_turn(self, action: Callable[[], T]) -> T:
        """Carry out an action in the first process, then in the others, each with its own result.

        Raises:
            LeftError: in the others, when it failed in the first.
        """
        ...

    def compute(self, action: Callable[[], T]) -> T:
        """What an action that computes with the model comes to in the first process. It must be JSON."""
        ...

    def make(self, path: Path, fill: Callable[[Path], None]) -> None:
        """Make a folder of what `fill` puts into it, in all processes that have something of their own."""
        ...

    def finish(self) -> None:
        """The training is over: the first process has the whole model from now on."""
        ...


class Alone:
    """One process: it is the first, and there is nobody to wait for."""

    rank = 0
    size = 1
    beside = 1
    cuts = WHOLE

    def parameters(self, module: nn.Module) -> dict[str, nn.Parameter]:
        """All of them."""
        return dict(module.named_parameters())

    def deal(self, count: int) -> list[tuple[int, bool]]:
        """All of them."""
        return [(number, True) for number in range(count)]

    def add_up(self, parameters: Iterable[nn.Parameter], loss: float) -> float:
        """The gradients are whole already."""
        return loss

    def clip(self, parameters: Iterable[nn.Parameter], limit: float) -> float:
        """The gradients are whole; those that are small enough are not gone through once more."""
        from torch.nn.utils import clip_grads_with_norm_, get_total_norm

        found = list(parameters)
        norm = get_total_norm([p.grad for p in found if p.grad is not None])
        if norm > limit:
            clip_grads_with_norm_(found, limit, norm)
        return float(norm)

    def sum(self, tensor: Tensor) -> Tensor:
        """The tensor."""
        return tensor

    def any(self, *said: bool) -> tuple[bool, ...]:
        """What was said."""
        return said

    def first(self, action: Callable[[], T]) -> T:
        """What the action comes to."""
        return action()

    def in_turn(self, action: Callable[[], T]) -> T:
        """What the action comes to."""
        return action()

    def compute(self, action: Callable[[], T]) -> T:
        """What the action comes to."""
        return action()

    def make(self, path: Path, fill: Callable[[Path], None]) -> None:
        """Make the folder."""
        with durable.new_folder(path) as folder:
            fill(folder)

    def finish(self) -> None:
        """The model is whole."""


ALONE = Alone()
