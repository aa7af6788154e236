"""What a workspace remembers about itself: `settings.json`. No secret stands in it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tunesmith.core import durable
from tunesmith.core.errors import TunesmithError
from tunesmith.core.plain import dumps

FILE = "settings.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`store` is the address of the PostgreSQL database in use; None is the workspace's own SQLite file."""

    store: str | None = None


def read(root: Path) -> Settings:
    """The settings of the workspace in `root`; those of a new one where there are none.

    Raises:
        TunesmithError: R34 when they cannot be read.
    """
    path = root / FILE
    try:
        return Settings(**json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError, TypeError) as error:
        raise TunesmithError("R34", file=path, reason=str(error)) from error


def write(root: Path, settings: Settings) -> None:
    """Remember `settings`.

    Raises:
        TunesmithError: C02 when the system refuses to write.
    """
    durable.write_bytes(root / FILE, (dumps(asdict(settings), indent=1) + "\n").encode())
