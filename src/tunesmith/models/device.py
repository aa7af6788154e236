"""Where tensors lie: on the graphics processor in a process that trains on one, else in main memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray


def take() -> None:
    """Let torch make all tensors on the graphics processor of this process, if it has one."""
    import torch

    if torch.cuda.is_available():
        torch.set_default_device(torch.device("cuda", torch.cuda.current_device()))


def tensor(array: NDArray[Any]) -> torch.Tensor:
    """The numbers of an array where other tensors are made."""
    import torch

    return torch.from_numpy(array).to(torch.get_default_device())


def is_graphics() -> bool:
    """Whether tensors are made on a graphics processor."""
    import torch

    return torch.get_default_device().type == "cuda"
