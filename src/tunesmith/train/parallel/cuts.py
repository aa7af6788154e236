"""Tensors of which each process has some rows: a file of each process, read by any number of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


Named = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """Which rows the process `rank` of `size` has.

    `rows`: how many the whole tensors have that are cut, by name; all others are whole in every process.
    """

    rank: int = 0
    size: int = 1
    rows: Mapping[str, int] = field(default_factory=dict[str, int])

    def own(self, name: str) -> range | None:
        """The rows of a tensor that this process has: equal shares; the last may be smaller or empty."""
        whole = self.rows.get(name)
        if whole is None:
            return None
        share = -(-whole // self.size)
        return range(min(self.rank * share, whole), min((self.rank + 1) * share, whole))

    def file(self, stem: str) -> str:
        """The name of the file of this process."""
        part = f"-{self.rank + 1:05d}-of-{self.size:05d}" if self.size > 1 else ""
        return f"{stem}{part}.safetensors"


WHOLE = Cuts()


def write(folder: Path, stem: str, tensors: Mapping[str, Tensor], cuts: Cuts, named: Named = str) -> None:
    """Write what this process has of some tensors; those that are whole are written by the first.

    `named` gives the name under which `cuts` knows a tensor.
    """
    from safetensors.torch import save_file

    own = {
        name: tensor.detach().contiguous()
        for name, tensor in tensors.items()
        if cuts.rank == 0 or _is_cut(tensor, cuts.own(named(name)))
    }
    save_file(own, str(folder / cuts.file(stem)))


def _is_cut(tensor: Tensor, own: range | None) -> bool:
    return own is not None and tensor.shape[:1] == (len(own),)


def read(folder: Path, stem: str, cuts: Cuts, named: Named = str) -> dict[str, Tensor]:
    """What this process has of the tensors that some number of processes wrote.

    Tensors that are remembered beside those that are cut may have other shapes: these are whole.
    """
    from safetensors import safe_open

    with ExitStack() as stack:
        files = [
            stack.enter_context(safe_open(path, "pt"))
            for path in sorted(
                (*folder.glob(f"{stem}.safetensors"), *folder.glob(f"{stem}-*-of-*.safetensors"))
            )
        ]
        return {name: _read(files, name, cuts, named(name)) for name in files[0].keys()}  # noqa: SIM118


def _read(files: list[Any], name: str, cuts: Cuts, known: str) -> Tensor:
    import torch

    pieces = [file.get_slice(name) for file in files if name in file.keys()]  # noqa: SIM118
    lengths = [piece.get_shape()[0] if piece.get_shape() else 0 for piece in pieces]
    own = cuts.own(known)
    if own is None or sum(lengths) != cuts.rows[known]:
        return torch.cat([piece[:] for piece in pieces]) if len(pieces) > 1 else files[0].get_tensor(name)
    return torch.cat([piece[a:b] for piece, a, b in _overlaps(pieces, lengths, own)])


def _overlaps(pieces: list[Any], lengths: list[int], own: range) -> Iterator[tuple[Any, int, int]]:
    """Each piece with the first and the last of its rows that are in `own`."""
    before = 0
    for piece, length in zip(pieces, lengths, strict=True):
        start = min(max(own.start - before, 0), length)
        yield piece, start, max(start, min(own.stop - before, length))
        before += length
