"""How many streams may be open: each is asked for news four times a second, so there is an end to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator

from tunesmith.core.errors import TunesmithError

OF_ONE = 16
IN_ALL = 256


class Seats:
    """Counts open streams by session; used from the event loop alone."""

    def __init__(self, of_one: int = OF_ONE, in_all: int = IN_ALL) -> None:
        self._of_one, self._in_all = of_one, in_all
        self._taken: Counter[str] = Counter()

    def require(self, who: str) -> None:
        """Check that there is room for one more stream.

        Raises:
            TunesmithError: W28 when there is none.
        """
        if self._is_full(who):
            raise TunesmithError("W28", mine=self._of_one, all=self._in_all)

    async def seated(self, who: str, parts: AsyncIterator[str]) -> AsyncIterator[str]:
        """A stream that has a seat until it ends, however it ends; without one it ends at once."""
        if self._is_full(who):
            return
        self._taken[who] += 1
        try:
            async for part in parts:
                yield part
        finally:
            self._taken[who] -= 1
            self._taken += Counter()  # forgets who has none

    def _is_full(self, who: str) -> bool:
        return self._taken[who] >= self._of_one or self._taken.total() >= self._in_all
