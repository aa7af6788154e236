"""What the holder of each key asked for, by day."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict

import sqlalchemy as sa

from tunesmith.core.store.opened import Opened
from tunesmith.core.store.records import Used
from tunesmith.core.store.tables import usage

_COUNTS = ("requests", "prompt_tokens", "new_tokens")


def day_of(moment: float) -> str:
    """The day of a moment in seconds since 1970, as YYYY-MM-DD in UTC."""
    return time.strftime("%Y-%m-%d", time.gmtime(moment))


class Usages(Opened):
    """Counts that only grow; several servers may add to them."""

    def add_usage(self, day: str, used: Mapping[str, Used]) -> None:
        """Add what was used, by the ids of keys, on a day (YYYY-MM-DD, UTC)."""
        with self.backend.writing() as connection:
            for key, counts in used.items():
                more = {name: usage.c[name] + getattr(counts, name) for name in _COUNTS}
                change = usage.update().where(usage.c.key == key, usage.c.day == day).values(more)
                if connection.execute(change).rowcount == 0:
                    connection.execute(usage.insert().values(key=key, day=day, **asdict(counts)))

    def usage(self, day: str | None = None) -> dict[str, Used]:
        """What was used on a day, or ever, by the ids of keys."""
        sums = [sa.func.sum(usage.c[name]).label(name) for name in _COUNTS]
        wanted = sa.select(usage.c.key, *sums).group_by(usage.c.key)
        if day is not None:
            wanted = wanted.where(usage.c.day == day)
        with self.backend.reading() as connection:
            rows = connection.execute(wanted).mappings().all()
        return {row["key"]: Used(**{name: int(row[name]) for name in _COUNTS}) for row in rows}
