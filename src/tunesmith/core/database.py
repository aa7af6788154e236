"""Where the store of a workspace lies: in its SQLite file, or in a PostgreSQL database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "TUNESMITH_STORE"
FILE = "store.sqlite"
_SCHEMES = re.compile(r"postgres(?:ql)?(?:\+psycopg)?://")
# Up to the last @ before a slash; one with slashes in it, which drivers take too, up to the first.
_PASSWORD = re.compile(r"(?<=://)([^/?@]*?):(?:[^/?]*|[^@]*)@")
_PARAMETER = re.compile(r"(?<=[?&])((?:ssl)?password=)[^&]*")


@dataclass(frozen=True, slots=True)
class Database:
    """The address of a store. What is not in the database lies beside `path`: the pepper of keys, locks."""

    path: Path
    url: str | None = None

    def exists(self) -> bool:
        """Whether there is something to read; a database on a server is made by whoever runs the server."""
        return self.url is not None or self.path.exists()

    @property
    def shown(self) -> str:
        """The address as anybody may read it: without its password."""
        return str(self.path) if self.url is None else without_password(self.url)


def is_postgresql(url: str) -> bool:
    """Whether this is how the address of a PostgreSQL database begins."""
    return _SCHEMES.match(url) is not None


def for_psycopg(url: str) -> str:
    """The address in the form that names the driver."""
    return _SCHEMES.sub("postgresql+psycopg://", url, count=1)


def without_password(url: str) -> str:
    """The address with stars for its password."""
    return _PARAMETER.sub(r"\1***", _PASSWORD.sub(r"\1:***@", url))
