"""The `.tunesmith/` folder: where runs, models, cached stages, releases and keys live."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

NAME = ".tunesmith"


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folders of one workspace; they are made when something is first put into them."""

    root: Path

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
    def database(self) -> Path:
        """The SQLite file of releases, aliases and keys."""
        return self.root / "store.sqlite"


def find(wanted: Path | None = None, start: Path | None = None) -> Workspace:
    """`wanted`, else the nearest `.tunesmith/` from `start` upwards, else the one to be made in `start`."""
    if wanted is not None:
        return Workspace(wanted.absolute())
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if (folder / NAME).is_dir():
            return Workspace(folder / NAME)
    return Workspace(here / NAME)
