"""Keys and values of beginnings that were read before: system prompts, conversations that go on.

What was used last is kept, in so many bytes. Beginnings are compared token by token, never by a hash, and
with those of the same owner only: another adapter reads the same tokens otherwise. An owner is a number, so
that no adapter is held here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

SHORTEST = 16  # tokens; copying fewer is not worth the look


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    owner: int
    ids: NDArray[np.int64]
    store: Tensor  # [layers, keys and values, at least as many tokens, heads, size]

    @property
    def size(self) -> int:
        """Its memory, in bytes."""
        return self.store.numel() * self.store.element_size()

    def common(self, ids: NDArray[np.int64]) -> int:
        """How many tokens it begins with that `ids` begin with too."""
        count = min(len(ids), len(self.ids))
        differing = np.flatnonzero(self.ids[:count] != ids[:count])
        return int(differing[0]) if len(differing) else count


class Prefixes:
    """Beginnings in at most `room` bytes; 0 keeps none. Not thread-safe."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.size = 0
        self.reused = 0  # tokens that were not read again
        self._entries: list[_Entry] = []  # what was used last is at the end

    def longest(self, ids: Sequence[int], owner: int = 0) -> tuple[Tensor, int] | None:
        """The store whose tokens begin as `ids` do, and for how many; one token is always left to be read."""
        asked = np.asarray(ids[:-1], dtype=np.int64)
        found = max(self._of(owner), key=lambda entry: entry.common(asked), default=None)
        length = found.common(asked) if found else 0
        if found is None or length < SHORTEST:
            return None
        self._entries.remove(found)
        self._entries.append(found)
        self.reused += length
        return found.store, length

    def keep(self, ids: Sequence[int], store: Tensor, owner: int = 0) -> None:
        """Remember the store of `ids`, which nobody changes any more, in place of its own beginnings."""
        new = _Entry(owner, np.asarray(ids, dtype=np.int64), store)
        if len(ids) < SHORTEST or new.size > self.room:
            return
        shorter = [entry for entry in self._of(owner) if entry.common(new.ids) == len(entry.ids)]
        for entry in shorter:
            self._drop(entry)
        self._entries.append(new)
        self.size += new.size
        while self.size > self.room:
            self._drop(self._entries[0])

    def _of(self, owner: int) -> list[_Entry]:
        return [entry for entry in self._entries if entry.owner == owner]

    def _drop(self, entry: _Entry) -> None:
        self._entries.remove(entry)
        self.size -= entry.size
