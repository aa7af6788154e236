"""Encoded rows in flat arrays on disk, read through memory maps: as long as the disk is, not the memory.

A folder holds one `.npy` file for each column. `ids` are the tokens of all examples one after another,
`offsets` where each begins. What is learned is one of `labels`, one for each example, `learned`, a bit for
each token, `tags`, one for each token, and `numbers`, those of an example from its place in `number_offsets`
on. `seconds` is where in an example its second answer begins, -1 where it has none; `cut_rows` and
`cut_tokens` say what was cut from which row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, overload

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from tunesmith.tasks.task import Example

Encoded = tuple[list[Example], dict[int, int]]
Writer = Callable[[Any], None]
# Beginnings of so many examples are looked at together.
_AT_ONCE = 256
_LONGEST = 4096  # and of a beginning no more than this


class Examples(Sequence[Example]):
    """The examples of a folder that `write` made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offsets = _read(folder, "offsets")
        self._ids = _read(folder, "ids")
        self._rows = _read(folder, "rows")
        self._weights = _read(folder, "weights")
        self._targets = _read(folder, "targets")
        self._labels, self._learned, self._tags, self._numbers, self._number_offsets = (
            _read(folder, name) if _file(folder, name).exists() else None
            for name in ("labels", "learned", "tags", "numbers", "number_offsets")
        )
        self._seconds = _read(folder, "seconds")
        self._reference: NDArray[np.float32] | None = None
        self._others = False
        self._chosen = np.arange(len(self._rows))

    def __len__(self) -> int:
        return len(self._chosen)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> list[Example]: ...
    def __getitem__(self, index: int | slice) -> Example | list[Example]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        number = int(self._chosen[index])
        found = self._example(number)
        if self._others:
            found = replace(found, other=self._example((number + 1) % len(self._rows)))
        if self._reference is not None:
            found = replace(found, reference=tuple(self._reference[number].tolist()))
        return found

    def _example(self, number: int) -> Example:
        start, end = (int(i) for i in self._offsets[number : number + 2])
        return Example(
            int(self._rows[number]),
            self._ids[start:end],
            self._target(number, start, end),
            float(self._weights[number]),
            second if (second := int(self._seconds[number])) >= 0 else None,
        )

    def _target(
        self, number: int, start: int, end: int
    ) -> int | NDArray[np.bool_] | NDArray[np.int16] | NDArray[np.float32]:
        if self._tags is not None:
            tags: NDArray[np.int16] = self._tags[start:end]
            return tags
        if self._numbers is not None and self._number_offsets is not None:
            first, last = self._number_offsets[number : number + 2]
            numbers: NDArray[np.float32] = self._numbers[first:last]
            return numbers
        if self._learned is None:
            return int(self._labels[number])  # type: ignore[index]
        bits = np.unpackbits(self._learned[start // 8 : -(-end // 8)])
        return bits[start % 8 : start % 8 + end - start].astype(np.bool_)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many tokens each example has."""
        found: NDArray[np.int64] = np.diff(self._offsets)[self._chosen]
        return found

    def beginnings(self, some: slice, tokens: int) -> NDArray[np.integer[Any]]:
        """The first tokens of some examples, which have so many: [examples, tokens]."""
        starts = self._offsets[self._chosen[some]]
        found: NDArray[np.integer[Any]] = self._ids[starts[:, None] + np.arange(tokens)]
        return found

    @property
    def rows(self) -> NDArray[np.int64]:
        """The row of the ledger of each example."""
        found: NDArray[np.int64] = self._rows[self._chosen]
        return found

    def learning(self) -> Examples:
        """Those with something to learn."""
        made = copy(self)
        made._chosen = self._chosen[self._targets[self._chosen] > 0]
        return made

    def referring(self, reference: NDArray[np.float32]) -> Examples:
        """The same examples with what the starting model says of every one of the folder: [examples, n]."""
        made = copy(self)
        made._reference = reference
        return made

    def with_others(self) -> Examples:
        """The same examples, each with the one that follows it in the folder as its `other`."""
        made = copy(self)
        made._others = True
        return made

    def truncated(self) -> dict[int, int]:
        """How many tokens were cut from which rows."""
        rows, tokens = (_read(self._folder, name).tolist() for name in ("cut_rows", "cut_tokens"))
        return dict(zip(rows, tokens, strict=True))


def lengths(examples: Sequence[Example]) -> NDArray[np.int64]:
    """How many tokens each example has."""
    if isinstance(examples, Examples):
        return examples.lengths
    return np.array([len(example.ids) for example in examples], dtype=np.int64)


def common_beginning(examples: Sequence[Example]) -> int:
    """How many tokens all examples begin with; each has at least one more."""
    if not len(examples):
        return 0
    first = examples[0].ids
    found = max(0, min(int(lengths(examples).min()) - 1, _LONGEST))
    for start in range(0, len(examples), _AT_ONCE):
        if not found:
            break
        rows = _beginnings(examples, slice(start, start + _AT_ONCE), found)
        alike = (rows == first[:found]).all(axis=0)
        found = found if alike.all() else int(alike.argmin())
    return found


def _beginnings(examples: Sequence[Example], some: slice, tokens: int) -> NDArray[np.integer[Any]]:
    """The first tokens of some examples, [examples, tokens]."""
    if isinstance(examples, Examples):
        return examples.beginnings(some, tokens)
    return np.stack([example.ids[:tokens] for example in examples[some]])


def write(folder: Path, encoded: Iterable[Encoded], *, largest_id: int) -> None:
    """Write what `Task.encode` gives for one slice of rows after another; one is in memory at a time."""
    with ExitStack() as stack:

        def column(name: str, dtype: DTypeLike) -> Callable[[Any], None]:
            file = stack.enter_context(_file(folder, name).open("wb"))
            made = _Column(file, np.dtype(dtype))
            stack.callback(made.finish)
            return made.add

        ids = column("ids", np.uint16 if largest_id < 1 << 16 else np.int32)
        offsets, rows = column("offsets", np.int64), column("rows", np.int64)
        weights, targets = column("weights", np.float64), column("targets", np.int32)
        seconds = column("seconds", np.int32)
        cut_rows, cut_tokens = column("cut_rows", np.int64), column("cut_tokens", np.int64)
        end = 0
        offsets([0])
        target: Writer | None = None
        for examples, cut in encoded:
            ends = end + np.cumsum([len(example.ids) for example in examples], dtype=np.int64)
            end = int(ends[-1]) if len(ends) else end
            offsets(ends)
            ids(_joined([example.ids for example in examples]))
            rows([example.row for example in examples])
            weights([example.weight for example in examples])
            targets([example.targets for example in examples])
            seconds([-1 if example.second is None else example.second for example in examples])
            if target is None and examples:
                target = _targets(examples[0], column, stack)
            if target is not None:
                target([example.target for example in examples])
            cut_rows(list(cut))
            cut_tokens(list(cut.values()))
        if target is None:
            column("labels", np.int32)


def _targets(like: Example, column: Callable[[str, DTypeLike], Writer], stack: ExitStack) -> Writer:
    """What writes down what is learned of examples like this one."""
    if isinstance(like.target, int):
        return column("labels", np.int32)
    if like.target.dtype == np.bool_:
        bits = _Bits(column("learned", np.uint8), stack)
        return lambda given: bits.add(_joined(given))
    if like.target.dtype == np.int16:
        tags = column("tags", np.int16)
        return lambda given: tags(_joined(given))
    return _numbers(column("numbers", np.float32), column("number_offsets", np.int64))


def _numbers(values: Writer, offsets: Writer) -> Writer:
    end = 0
    offsets([0])

    def add(given: Sequence[NDArray[np.float32]]) -> None:
        nonlocal end
        ends = end + np.cumsum([len(numbers) for numbers in given], dtype=np.int64)
        end = int(ends[-1]) if len(ends) else end
        offsets(ends)
        values(_joined(given))

    return add


def _joined(parts: Sequence[Any]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.bool_)


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.npy"


def _read(folder: Path, name: str) -> NDArray[Any]:
    """A column as a plain array over the mapped file, which nothing can write to; objects are refused."""
    return npy.open_memmap(_file(folder, name), mode="r").view(np.ndarray)


class _Column:
    """A one-dimensional `.npy` file that grows; its length is put into the header at the end."""

    def __init__(self, file: IO[bytes], dtype: np.dtype[Any]) -> None:
        self.file = file
        self.dtype = dtype
        self.length = 0
        self._header()

    def add(self, values: Any) -> None:
        data = np.asarray(values, dtype=self.dtype)
        self.file.write(data.tobytes())
        self.length += len(data)

    def finish(self) -> None:
        self.file.seek(0)
        self._header()

    def _header(self) -> None:
        # NumPy pads headers so that a longer first axis fits into the same bytes.
        descr = npy.dtype_to_descr(self.dtype)
        header = {"descr": descr, "fortran_order": False, "shape": (self.length,)}
        npy.write_array_header_1_0(self.file, header)


class _Bits:
    """Booleans packed eight to a byte across examples."""

    def __init__(self, add: Callable[[Any], None], stack: ExitStack) -> None:
        self.write = add
        self.left = np.empty(0, dtype=np.bool_)
        stack.callback(self.finish)

    def add(self, values: NDArray[np.bool_]) -> None:
        bits = np.concatenate([self.left, values])
        whole = len(bits) // 8 * 8
        self.write(np.packbits(bits[:whole]))
        self.left = bits[whole:]

    def finish(self) -> None:
        self.write(np.packbits(self.left))
