"""The processes that train together, as a training sees them. One process alone is a group too.

All of a group call the same methods in the same order. It knows no data, no model and no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol, TypeVar

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

    def add_up(self, parameters: Iterable[nn.Parameter], loss: float) -> float:
        """Give every parameter the sum of its gradients over the processes; returns the sum of the losses."""
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


class Alone:
    """One process: it is the first, and there is nobody to wait for."""

    rank = 0
    size = 1
    beside = 1

    def add_up(self, parameters: Iterable[nn.Parameter], loss: float) -> float:
        """The gradients are whole already."""
        return loss

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


ALONE = Alone()
