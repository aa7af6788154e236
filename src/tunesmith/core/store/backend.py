"""How the store reads and writes, whatever database it is in."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from typing import Any, Protocol

import sqlalchemy as sa

from tunesmith.core.plain import dumps, figures

PATIENCE_S = 60.0


class Backend(Protocol):
    """A database that is open.

    Raises:
        TunesmithError: R30 when others have been writing for a minute, R31 when SQLite's file is damaged, R32
            when the server cannot be reached or refuses, C02 when the system refuses to write.
    """

    def is_ready(self) -> bool:
        """Whether one may read at once; a new SQLite file has to be set up first, in one's turn."""

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """One consistent view of everything; nobody is waited for."""

    def writing(self) -> AbstractContextManager[sa.Connection]:
        """One transaction that is kept when the block ends without error; of all writers, one at a time."""

    def copy_aside(self, name: str) -> None:
        """Keep what there is under `name`, where that needs no setting up."""

    def close(self) -> None:
        """Give the connections back."""


def settings() -> dict[str, Any]:
    """What engines have in common: JSON that every database takes, infinity and NaN as words."""
    return {"json_serializer": dumps, "json_deserializer": lambda text: figures(json.loads(text))}
