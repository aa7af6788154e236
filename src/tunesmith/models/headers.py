"""The tensors that a safetensors file says it has: names and shapes, without their numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from tunesmith.core.errors import ModelError


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """What a header says of one tensor."""

    name: str
    shape: tuple[int, ...]

    @property
    def elements(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


def read(path: Path) -> list[Tensor]:
    """The tensors of a file, by name.

    Raises:
        ModelError: M52 when the header is too long, is none, or says what the file does not bear out.
    """
    try:
        # The library holds lengths, offsets and shapes to the file before it gives anything away.
        with safe_open(path, framework="np") as file:
            names = sorted(file.keys())
            return [Tensor(name=name, shape=tuple(file.get_slice(name).get_shape())) for name in names]
    except (OSError, SafetensorError) as error:
        raise ModelError("M52", file=path, reason=str(error).splitlines()[0][:200]) from error
