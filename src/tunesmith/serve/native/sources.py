"""Where weights come from: the files of a folder, read row by row, or a module that is in memory."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from torch import nn

from tunesmith.core.errors import ModelError
from tunesmith.serve.native.plan import Matrix

Floats = NDArray[np.float32]


class Source(Protocol):
    """Tensors by name; each gives its rows when it is sliced."""

    def find(self, name: str) -> Any | None:
        """A tensor that can be sliced, or None."""


class Folder:
    """The tensors in the safetensors files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._open = ExitStack()
        self._where: dict[str, Any] = {}
        for path in sorted(folder.glob("*.safetensors")):
            file = self._open.enter_context(safe_open(path, framework="pt"))
            self._where |= dict.fromkeys(file.keys(), file)

    def find(self, name: str) -> Any | None:
        """See `Source.find`."""
        return self._where[name].get_slice(name) if name in self._where else None

    def __enter__(self) -> Folder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()


class Loaded:
    """The tensors of a module."""

    def __init__(self, module: nn.Module) -> None:
        self._tensors = module.state_dict()

    def find(self, name: str) -> Any | None:
        """See `Source.find`."""
        return self._tensors.get(name)


def tensor(source: Source, name: str) -> Any:
    """A tensor that has to be there, under its name or without the name of the whole model before it.

    Raises:
        ModelError: N02 when it is not.
    """
    found = source.find(name)
    if found is None and name.startswith(("model.", "transformer.")):
        found = source.find(name.partition(".")[2])
    if found is None:
        raise ModelError("N02", tensor=name)
    return found


def vector(source: Source, name: str) -> Floats:
    """All numbers of a small tensor."""
    return _floats(tensor(source, name)[:])


def biases(source: Source, matrix: Matrix) -> Floats:
    """The biases of a map, zeros where it has none."""
    found = [_bias(source, part) for part in matrix.parts]
    if all(bias is None for bias in found):
        return np.zeros(matrix.outputs, np.float32)
    return np.concatenate([bias for bias in found if bias is not None])


def rows(source: Source, matrix: Matrix, first: int, end: int) -> Floats:
    """Outputs `first` to `end` of a map: [end - first, inputs].

    Raises:
        ModelError: N02 when a tensor is missing or has another shape.
    """
    found: list[Floats] = []
    begin = 0
    for part in matrix.parts:
        weights = tensor(source, f"{part}.weight")
        size = _outputs(weights, matrix, part)
        low, high = max(first - begin, 0), min(end - begin, size)
        if low < high:
            chosen = weights[:, low:high].T if matrix.transposed else weights[low:high]
            found.append(_floats(chosen))
        begin += size
    return np.concatenate(found)


def _outputs(weights: Any, matrix: Matrix, part: str) -> int:
    shape = list(_shape(weights))
    if matrix.transposed:
        shape.reverse()
    if len(shape) != 2 or shape[1] != matrix.inputs:
        raise ModelError("N02", tensor=f"{part}.weight")
    return shape[0]


def _shape(weights: Any) -> Sequence[int]:
    return weights.shape if isinstance(weights, torch.Tensor) else weights.get_shape()


def _bias(source: Source, part: str) -> Floats | None:
    found = source.find(f"{part}.bias") if source.find(f"{part}.weight") is not None else None
    if found is None and part.startswith("transformer."):
        found = source.find(f"{part.partition('.')[2]}.bias")
    return None if found is None else _floats(found[:])


def _floats(found: torch.Tensor) -> Floats:
    return np.ascontiguousarray(found.detach().float().cpu().numpy())
