"""Several processes among which the blocks of a model are divided (FSDP2, Zhao et al. 2023).

Each keeps some rows of every weight of the blocks, of its gradient and of what the optimizer remembers of it.
A block is put together for as long as it computes. What stands beside the blocks (embeddings, head) is whole
everywhere. Optimizers see the own rows as ordinary parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor

from tunesmith.core import durable
from tunesmith.core.errors import ModelError, TunesmithError
from tunesmith.train.parallel.cuts import Cuts
from tunesmith.train.parallel.group import Group, LeftError
from tunesmith.train.parallel.several import Several, talking

T = TypeVar("T")


def divide(group: Group, module: nn.Module, backbone: nn.Module) -> Group:
    """Divide the blocks of the `backbone` of a `module` among the group, and return the group that knows it.

    Raises:
        ModelError: T36 when the model has no list of blocks.
    """
    if group.size == 1:
        return group
    return Sharded(group.beside, module, backbone)


class Sharded(Several):
    """A group that has one model. All that computes with it is computed by all, equally often."""

    def __init__(self, beside: int, module: nn.Module, backbone: nn.Module) -> None:
        super().__init__(beside)
        self._divided = _shard(backbone, self.size)
        self._named = {n: p for n, p in module.named_parameters() if isinstance(p, DTensor)}
        self._own = {
            n: nn.Parameter(_local(p), requires_grad=p.requires_grad) for n, p in self._named.items()
        }
        self._whole = module
        rows = {name: parameter.shape[0] for name, parameter in self._named.items()}
        self.cuts = Cuts(rank=self.rank, size=self.size, rows=rows)

    def parameters(self, module: nn.Module) -> dict[str, nn.Parameter]:
        """All parameters by name; of those that are divided, the rows of this process."""
        return {name: self._own.get(name, parameter) for name, parameter in module.named_parameters()}

    def deal(self, count: int) -> list[tuple[int, bool]]:
        """As many parts for each: where there are too few, the first is computed again and does not count."""
        rounds = -(-count // self.size)
        places = range(self.rank, rounds * self.size, self.size)
        return [(place, True) if place < count else (0, False) for place in places]

    def add_up(self, parameters: Iterable[nn.Parameter], loss: float) -> float:
        """The gradients of blocks were added up on their way; the others are now."""
        for name, parameter in self._named.items():
            if parameter.grad is not None:
                self._own[name].grad = _local(parameter.grad)
                parameter.grad = None
        divided = {id(parameter) for parameter in self._own.values()}
        return super().add_up([p for p in parameters if id(p) not in divided], loss)

    def clip(self, parameters: Iterable[nn.Parameter], limit: float) -> float:
        """The norm of the whole gradient, of which each process has a part."""
        found = list(parameters)
        divided = {id(parameter) for parameter in self._own.values()}
        squares = torch.zeros(2, dtype=torch.float64, device="cpu")
        for parameter in found:
            if parameter.grad is not None:
                squares[int(id(parameter) in divided)] += parameter.grad.double().square().sum().cpu()
        norm = (squares[0] + self.sum(squares[1])).sqrt()
        nn.utils.clip_grads_with_norm_(found, limit, norm)
        return float(norm)

    def in_turn(self, action: Callable[[], T]) -> T:
        """All at once: it may compute with the model."""
        try:
            return action()
        except TunesmithError as error:
            # All meet the same; the first says it.
            if self.rank:
                raise LeftError from error
            raise

    def compute(self, action: Callable[[], T]) -> T:
        """Every process carries it out."""
        value = action()
        return self.first(lambda: value)

    def make(self, path: Path, fill: Callable[[Path], None]) -> None:
        """Each process puts its own files into the folder, and all wait until it is complete.

        Raises:
            TunesmithError: T37 in the first when another could not write.
        """
        with ExitStack() as stack:
            folder = self.first(lambda: str(stack.enter_context(durable.new_folder(path))))
            self._all(partial(fill, Path(folder)))
            self.first(lambda: stack.pop_all().close())

    def _all(self, action: Callable[[], None]) -> None:
        """Carry out an action everywhere; when it fails anywhere, all know."""
        try:
            action()
        except BaseException:
            self.any(True)
            raise
        if self.any(False)[0]:
            raise LeftError if self.rank else TunesmithError("T37")

    def finish(self) -> None:
        """Give the first process the whole model, an ordinary module again, one weight after another."""
        for name, parameter in self._named.items():
            with talking():
                whole = _divided(parameter.detach()).full_tensor()
            if self.rank == 0:
                owner, _, last = name.rpartition(".")
                made = nn.Parameter(whole.clone(), requires_grad=parameter.requires_grad)
                setattr(self._whole.get_submodule(owner), last, made)
        for module in self._divided:
            _undo(module)


def _shard(backbone: nn.Module, size: int) -> list[nn.Module]:
    """Divide the blocks of a model; returns the modules that were changed."""
    root: nn.Module = getattr(backbone, "base_model", backbone)
    blocks = list(_blocks(root))
    if not blocks:
        raise ModelError("T36", model=type(backbone).__name__)
    mesh = init_device_mesh(torch.get_default_device().type, (size,))
    within = {id(p) for block in blocks for p in block.parameters()}
    beside = {p for p in root.parameters() if id(p) not in within}
    for block in blocks:
        fully_shard(block, mesh=mesh)
    # The root has nothing of its own: it lets one block be fetched while another computes.
    fully_shard(root, mesh=mesh, ignored_params=beside)
    divided: list[Any] = [module for module in root.modules() if isinstance(module, FSDPModule)]
    for module in divided:
        # Gradients are sums of parts of one mean; gloo knows sums only.
        module.set_gradient_divide_factor(1.0)
        module.set_force_sum_reduction_for_comms(True)
    return divided


def _blocks(module: nn.Module) -> Iterator[nn.Module]:
    """The members of the outermost lists of modules."""
    for child in module.children():
        yield from child if isinstance(child, nn.ModuleList) else _blocks(child)


def _local(tensor: torch.Tensor) -> torch.Tensor:
    """The rows of this process, in the same memory."""
    local: torch.Tensor = _divided(tensor.detach()).to_local()
    return local


def _divided(tensor: torch.Tensor) -> DTensor:
    if not isinstance(tensor, DTensor):
        raise TypeError("the tensor is not divided")
    return tensor


def _undo(module: Any) -> None:
    """Let a module be of its own class again, and compute without the others."""
    state = module._get_fsdp_state()
    state._pre_forward_hook_handle.remove()
    state._post_forward_hook_handle.remove()
    module.__class__ = type(module).__mro__[2]
