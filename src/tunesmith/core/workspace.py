"""The `.tunesmith/` folder: where runs, models, cached stages, releases and keys live."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tunesmith.core import settings
from tunesmith.core.database import FILE, VARIABLE, Database

NAME = ".tunesmith"


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folders of one workspace; they are made when something is first put into them.

    `store` is the address of a PostgreSQL database to keep the store in, whatever else says where it is.
    """

    root: Path
    store: str | None = None

    @property
    def runs(self) -> Path:
        """Run folders, one per run id."""
        return self.root / "runs"

    @property
    def models(self) -> Path:
        """Models added or published, in folders named by content."""
        return self.root / "models"

    @property
    def cache(self) -> Path:
        """Results of stages, by content."""
        return self.root / "cache"

    @property
    def requests(self) -> Path:
        """Requests to served models, where they are kept."""
        return self.root / "requests"

    @property
    def database(self) -> Database:
        """Where the store is: `store`, else TUNESMITH_STORE, else what is set, else a SQLite file."""
        url = self.store or os.environ.get(VARIABLE) or settings.read(self.root).store
        return Database(self.root / FILE, url)


def find(wanted: Path | None = None, start: Path | None = None, *, store: str | None = None) -> Workspace:
    """`wanted`, else the nearest `.tunesmith/` from `start` upwards, else the one to be made in `start`."""
    if wanted is not None:
        return Workspace(wanted.absolute(), store)
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if (folder / NAME).is_dir():
            return Workspace(folder / NAME, store)
    return Workspace(here / NAME, store)
