"""What the processes of tests do to a store: `python worker.py ACTION PATH URL ARGUMENTS`."""

from __future__ import annotations

import sys
from pathlib import Path

from tunesmith.core.database import Database
from tunesmith.core.store import Store


def begin(database: Database) -> None:
    """Open an empty store and publish, when told so."""
    sys.stdin.readline()
    store = Store(database)
    store.publish("router", digest="same", folder=Path("x"), task="classify", lineage={})
    store.close()


ACTIONS = {"begin": begin}

if __name__ == "__main__":
    action, path, url, *rest = sys.argv[1:]
    ACTIONS[action](Database(Path(path), url or None), *rest)
