"""Several processes with whole copies of the model, which talk through torch.distributed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from tunesmith.core.errors import TunesmithError
from tunesmith.train.parallel import gradients
from tunesmith.train.parallel.group import Alone, LeftError

T = TypeVar("T")


class PeerLostError(TunesmithError):
    """Another process of the group ended or cannot be reached."""


class Several(Alone):
    """The group of all processes of `torch.distributed`. `beside`: how many of them are on this machine."""

    def __init__(self, beside: int) -> None:
        self.rank = dist.get_rank()
        self.size = dist.get_world_size()
        self.beside = beside

    def deal(self, count: int) -> list[tuple[int, bool]]:
        """One part after another to one process after another."""
        return [(number, True) for number in range(self.rank, count, self.size)]

    def add_up(self, parameters: Iterable[nn.Parameter], loss: float) -> float:
        """Sums of gradients and losses; a parameter that had no gradient anywhere has none afterwards."""
        found = list(parameters)
        has = [float(p.grad is not None) for p in found]
        counts = self.sum(torch.tensor([loss, *has], dtype=torch.float64))
        used = [p for p, count in zip(found, counts[1:].tolist(), strict=True) if count]
        with talking():
            gradients.add_up(used)
        return float(counts[0])

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum over the processes, the same bits in all of them."""
        with talking():
            dist.all_reduce(tensor)
        return tensor

    def any(self, *said: bool) -> tuple[bool, ...]:
        """For each thing said, whether any process says so."""
        return tuple(count > 0 for count in self.sum(torch.tensor(said, dtype=torch.int32)).tolist())

    def first(self, action: Callable[[], T]) -> T:
        """What the first process comes to, told to all of them."""
        if self.rank == 0:
            with self._answering() as answer:
                answer["value"] = value = action()
            return value
        told: T = self._hear()["value"]
        return told

    def in_turn(self, action: Callable[[], T]) -> T:
        """The first process, then the others."""
        if self.rank:
            self._hear()
            return action()
        with self._answering():
            return action()

    def compute(self, action: Callable[[], T]) -> T:
        """The first process has the whole model: it does it alone."""
        return self.first(action)

    def make(self, path: Path, fill: Callable[[Path], None]) -> None:
        """The first process makes the folder."""
        make = super().make
        self.first(lambda: make(path, fill))

    @contextmanager
    def _answering(self) -> Iterator[dict[str, Any]]:
        """Tell the others what the block puts into the answer, or that it failed."""
        answer: dict[str, Any] = {}
        try:
            yield answer
        except BaseException:
            _broadcast(b"")
            raise
        _broadcast(json.dumps(answer).encode())

    def _hear(self) -> dict[str, Any]:
        said = _broadcast()
        if not said:
            raise LeftError
        value: dict[str, Any] = json.loads(said)
        return value


def _broadcast(said: bytes = b"") -> bytes:
    """What the first process says, in all of them."""
    size = torch.tensor(len(said))
    with talking():
        dist.broadcast(size, src=0)
        content = torch.zeros(int(size), dtype=torch.uint8)
        if said:
            content.copy_(torch.frombuffer(bytearray(said), dtype=torch.uint8))
        if len(content):
            dist.broadcast(content, src=0)
    return bytes(content.tolist())


@contextmanager
def talking() -> Iterator[None]:
    """Turn what torch says of a broken connection into an error that says what to do.

    Raises:
        PeerLostError: T52.
    """
    try:
        yield
    except RuntimeError as error:
        raise PeerLostError("T52", reason=str(error).partition("\n")[0]) from error
