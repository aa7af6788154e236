"""Rows of the store: releases without files, aliases and marks of what is gone, keys without their pepper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from tunesmith.core import durable
from tunesmith.core.repair.files import is_whole
from tunesmith.core.repair.finding import Finding, Visit
from tunesmith.core.runs import RunFolder
from tunesmith.core.store import Release, Store
from tunesmith.core.store.keys import PEPPER
from tunesmith.core.store.marks import forget
from tunesmith.core.store.tables import aliases, moves, notes, tags
from tunesmith.core.workspace import Workspace


def files_of(store: Store, workspace: Workspace, visit: Visit) -> Iterator[Finding]:
    """Releases whose folder is not whole. The run that made one may still have the same files."""
    for release in store.releases():
        folder = Path(release.folder)
        if is_whole(folder):
            continue
        source = _source(release, workspace)
        if source is None:
            yield visit.found("gone", release.label, folder, mendable=False)
            continue
        if visit.mend:
            with durable.new_folder(folder) as made:
                durable.link_files(source, made)
        yield visit.found("relinked", release.label, source)


def _source(release: Release, workspace: Workspace) -> Path | None:
    run = release.lineage.get("run")
    model = RunFolder(workspace.runs / str(run)).model if run else None
    if model is None or not durable.is_valid(model) or durable.digest(model) != release.digest:
        return None
    return model


def dangling(store: Store, visit: Visit) -> Iterator[Finding]:
    """Aliases that point to no release: they go back to where they were before, or away."""
    with store.backend.writing() as connection:
        known = {(release.name, release.version) for release in store.releases()}
        for name, alias, version in connection.execute(sa.select(aliases)).all():
            if (name, version) in known:
                continue
            here = (aliases.c.name == name) & (aliases.c.alias == alias)
            history = sa.select(moves.c.version).where(moves.c.name == name, moves.c.alias == alias)
            before = connection.execute(history.order_by(moves.c.id.desc())).scalars()
            target = next((earlier for earlier in before if (name, earlier) in known), None)
            if visit.mend:
                change = aliases.update().values(version=target) if target else aliases.delete()
                connection.execute(change.where(here))
            yield visit.found("dangling", f"{name}@{alias}", target or "-")


def marks(store: Store, workspace: Workspace, visit: Visit) -> Iterator[Finding]:
    """Tags and notes of releases and runs that are gone."""
    there = {("release", release.label) for release in store.releases()}
    if workspace.runs.is_dir():
        there |= {("run", path.name) for path in workspace.runs.iterdir()}
    with store.backend.writing() as connection:
        rows = sa.union(sa.select(tags.c.kind, tags.c.name), sa.select(notes.c.kind, notes.c.name))
        for kind, name in connection.execute(rows).all():
            if (kind, name) not in there:
                if visit.mend:
                    forget(connection, kind, name)
                yield visit.found("marks", name)


def pepper(store: Store, visit: Visit) -> Iterator[Finding]:
    """Keys cannot be recognised without the file that they were hashed with."""
    path = store.database.path.with_name(PEPPER)
    keys = store.keys()
    count = sum(key.revoked is None for key in keys)
    if count and not path.exists():
        yield visit.found("pepper", path, count, mendable=False)
