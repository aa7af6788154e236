"""Pages of memory: handed out, given back, and kept while they may hold the beginning of another prompt.

A full page is known by its tokens and by the page before it, so what is found again is the very same
beginning. Pages that nobody uses are kept, the last used longest, until they are needed or too many.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tunesmith.core.errors import TunesmithError
from tunesmith.serve.native.bank import NativeAdapter
from tunesmith.serve.native.slots import PAGE

_Key = tuple[int, tuple[int, ...]]  # serial number of the page before, and tokens
_FIRST = 0  # the serial number of what is before the first page; below it, that of each adapter


@dataclass(slots=True, eq=False)
class Held:
    """The pages of one sequence, and how many of its tokens are in them."""

    pages: list[int] = field(default_factory=list)
    length: int = 0
    ids: list[int] = field(default_factory=list)  # of the page that is not full yet
    serial: int = _FIRST  # of the last full page
    known: int = 0  # full pages that were looked at
    adapter: NativeAdapter | None = None


class Pages:
    """So many pages, of which up to `kept` stay when nobody uses them; `clean` makes each ready for use."""

    def __init__(self, count: int, kept: int, clean: Callable[[int], None]) -> None:
        self._clean = clean
        self._free = list(range(count - 1, -1, -1))
        self._kept = kept
        self._users = [0] * count
        self._serials = 0
        self._by_key: dict[_Key, tuple[int, int]] = {}  # page and serial number
        self._keys: dict[int, _Key] = {}  # of pages that are known
        self._idle: OrderedDict[int, None] = OrderedDict()  # known pages that nobody uses, the oldest first

    def begin(self, ids: Sequence[int], adapter: NativeAdapter | None = None) -> Held:
        """A sequence that begins with `ids`: it has the pages that are known, but never all of the tokens.

        Pages of an adapter are no other's: another reads the same tokens otherwise.
        """
        held = Held(serial=_FIRST - (adapter.number if adapter else 0), adapter=adapter)
        for start in range(0, len(ids) - PAGE, PAGE):
            found = self._by_key.get((held.serial, tuple(ids[start : start + PAGE])))
            if found is None:
                break
            page, held.serial = found
            self._use(page)
            held.pages.append(page)
        held.known = len(held.pages)
        held.length = PAGE * held.known
        return held

    def reserve(self, held: Held, length: int) -> None:
        """See that there is room for so many tokens in all.

        Raises:
            TunesmithError: N05 when there is none.
        """
        while len(held.pages) * PAGE < length:
            if not self._free:
                self._forget_oldest()
            page = self._free.pop()
            self._clean(page)
            self._users[page] = 1
            held.pages.append(page)

    def wrote(self, held: Held, ids: Sequence[int]) -> None:
        """Note tokens that are in the pages now; full pages become known."""
        held.length += len(ids)
        held.ids += ids
        while len(held.ids) >= PAGE:
            key = (held.serial, tuple(held.ids[:PAGE]))
            del held.ids[:PAGE]
            self._know(held, key)

    def drop(self, held: Held) -> None:
        """Give the pages of a sequence back; its end is forgotten before its beginning, which finds it."""
        for page in reversed(held.pages):
            self._users[page] -= 1
            if self._users[page] == 0:
                self._leave(page)
        held.pages.clear()

    def _know(self, held: Held, key: _Key) -> None:
        page = held.pages[held.known]
        held.known += 1
        known = self._by_key.get(key)
        if known is None:
            self._serials += 1
            known = self._by_key[key] = (page, self._serials)
            self._keys[page] = key
        held.serial = known[1]

    def _use(self, page: int) -> None:
        self._users[page] += 1
        self._idle.pop(page, None)

    def _leave(self, page: int) -> None:
        if page not in self._keys:
            self._free.append(page)
            return
        self._idle[page] = None
        if len(self._idle) > self._kept:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        if not self._idle:
            raise TunesmithError("N05")
        page, _ = self._idle.popitem(last=False)
        del self._by_key[self._keys.pop(page)]
        self._free.append(page)
