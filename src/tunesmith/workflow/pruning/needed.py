"""What must stay: what aliases, their lineage, running runs and running servers use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.core import runs, uses
from tunesmith.core.errors import TunesmithError
from tunesmith.core.store import Release, Store
from tunesmith.core.workspace import Workspace
from tunesmith.models import card

_KEY = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """Labels of releases, names of runs, beginnings of keys of cached stages; `busy`: a run is running."""

    releases: frozenset[str]
    runs: frozenset[str]
    keys: frozenset[str]
    busy: bool

    @classmethod
    def nothing(cls) -> Needed:
        """In a workspace without a store."""
        return cls(releases=frozenset(), runs=frozenset(), keys=frozenset(), busy=True)


def needed(workspace: Workspace, store: Store) -> Needed:
    """All that must stay in a workspace now."""
    releases = store.releases()
    running = [run for run in runs.all_runs(workspace.runs) if run.owner() is not None]
    labels = set(_pointed(store, releases)) | set(_of_runs(releases, running)) | _served(workspace, releases)
    kept = _with_bases(labels, releases)
    origins = [*(r.lineage for r in kept), *(c.lineage for r in kept if (c := _card(r)))]
    said = {str(value) for origin in origins for value in _texts(origin)}
    return Needed(
        releases=frozenset(release.label for release in kept) | frozenset(_named_by(said, releases)),
        runs=frozenset(said) | frozenset(run.id for run in running),
        keys=frozenset(text[:_KEY] for text in said if len(text) >= _KEY),
        busy=bool(running),
    )


def _pointed(store: Store, releases: list[Release]) -> Iterator[str]:
    """Where aliases are, and where each was before: a rollback takes one command, not a new training."""
    for release in releases:
        for alias in release.aliases:
            yield release.label
            last = next(
                (m for m in reversed(store.history(release.name, alias)) if m.version == release.version),
                None,
            )
            if last is not None and last.previous is not None:
                yield f"{release.name}@{last.previous}"


def _of_runs(releases: list[Release], running: list[runs.RunFolder]) -> Iterator[str]:
    """Releases that running runs start from, learn from or compare with: those their recipes speak of."""
    texts = [run.recipe.read_text("utf-8") for run in running]
    for release in releases:
        if any(release.name in text or release.digest in text for text in texts):
            yield release.label


def _served(workspace: Workspace, releases: list[Release]) -> set[str]:
    served = {folder.absolute() for folder in uses.used(workspace)}
    return {release.label for release in releases if Path(release.folder).absolute() in served}


def _with_bases(labels: set[str], releases: list[Release]) -> list[Release]:
    """Those releases, and the ones that their adapters sit on."""
    kept = [release for release in releases if release.label in labels]
    bases = {own.base.folder for release in kept if (own := _card(release)) and own.base}
    return [*kept, *(r for r in releases if r.folder in bases and r not in kept)]


def _named_by(said: Iterable[str], releases: list[Release]) -> Iterator[str]:
    """Releases that a lineage speaks of: by label, folder or digest, or as teacher, `NAME SHA256`."""
    words = {part for text in said for part in (text, text.partition(" ")[0])}
    for release in releases:
        if words & {release.name, release.label, release.folder, release.digest}:
            yield release.label


def _card(release: Release) -> card.Card | None:
    try:
        return card.read(Path(release.folder))
    except (TunesmithError, OSError):
        return None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
