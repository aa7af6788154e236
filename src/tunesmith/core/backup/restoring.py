"""Bringing a workspace back from an archive: files first, then all rows in one transaction."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from tunesmith.core import durable
from tunesmith.core.backup import contents
from tunesmith.core.backup.contents import Contents, File
from tunesmith.core.errors import DataError, NotFoundError, TunesmithError, UsageError
from tunesmith.core.store import Store, copying
from tunesmith.core.store.keys import PEPPER
from tunesmith.core.workspace import Workspace

_CHUNK = 1 << 20


def restore(path: Path, workspace: Workspace, *, replace: bool = False) -> Contents:
    """Put what an archive holds into a workspace; with `replace`, in the place of the rows that are there.

    Nothing is changed before every byte was compared with what was archived.

    Raises:
        NotFoundError: C01 when there is no such file.
        DataError: R35, R36 or R37 when the archive is newer, damaged, or leads out of the workspace.
        UsageError: U16 when the store is not empty and `replace` is not given.
    """
    with _opened(path) as archive:
        found = contents.read(archive, path)
        store = Store(workspace.database)
        with store.backend.reading() as connection:
            _may_fill(connection, store, kept=not replace)
        with durable.scratch(workspace.root / "restore") as scratch:
            _unpack(archive, found, scratch, path)
            rows = _at(found, workspace.root, path)
            _move_in(scratch, workspace.root)
            store.backend.copy_aside("store.before-restore.sqlite")
            _replace(store, rows, path, kept=not replace)
        store.close()
    return found


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    if not path.is_file():
        raise NotFoundError("C01", file=path)
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DataError("R36", file=path, reason=str(error)) from error


def _unpack(archive: zipfile.ZipFile, found: Contents, scratch: Path, path: Path) -> None:
    needed, free = sum(file.size for file in found.files), shutil.disk_usage(scratch).free
    if needed > free:
        reason = os.strerror(errno.ENOSPC)
        raise TunesmithError("C02", file=scratch.parent, reason=reason, free_mb=free // _CHUNK)
    for file in found.files:
        target = scratch / file.name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise DataError("R36", file=path, reason=file.name) from error
        if not _copied(archive, file, target):
            raise DataError("R36", file=path, reason=file.name)


def _copied(archive: zipfile.ZipFile, file: File, target: Path) -> bool:
    """Write one file, no more of it than was announced; whether it is what was archived."""
    digest, left = hashlib.sha256(), file.size
    try:
        source, out = archive.open(file.entry), target.open("xb")
    except (KeyError, FileExistsError, IsADirectoryError):
        return False
    with source, out:
        while chunk := source.read(min(_CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                return False
            digest.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    return left == 0 and digest.hexdigest() == file.sha256


def _move_in(scratch: Path, root: Path) -> None:
    """Models, runs and hosted models that are there already are replaced one by one."""
    for place in sorted(scratch.iterdir()):
        if place.name == PEPPER:
            place.chmod(0o600)
            durable.put(place, root / PEPPER)
            continue
        for item in sorted(place.iterdir()):
            durable.put(item, root / place.name / item.name)


def _at(found: Contents, root: Path, path: Path) -> dict[str, copying.Rows]:
    """The rows with the folders that they have in this workspace."""
    try:
        rows = found.tables["releases"]
        for row in rows:
            if ".." in Path(row["folder"]).parts:  # whoever removes the release would remove another folder
                raise DataError("R37", file=path, name=row["folder"])
        moved = [{**row, "folder": _rebased(row["folder"], found.root, root)} for row in rows]
    except (KeyError, TypeError) as error:
        raise DataError("R36", file=path, reason=f"releases: {error}") from error
    return {**found.tables, "releases": moved}


def _may_fill(connection: sa.Connection, store: Store, *, kept: bool) -> None:
    """Stop where rows are there that are to be kept."""
    if kept and not copying.is_empty(connection):
        raise UsageError("U16", store=store.database.shown)


def _replace(store: Store, rows: dict[str, copying.Rows], path: Path, *, kept: bool) -> None:
    try:
        with store.backend.writing() as connection:
            # Unpacking takes minutes, in which others may have published.
            _may_fill(connection, store, kept=kept)
            copying.replace(connection, rows)
    except sa.exc.StatementError as error:
        raise DataError("R36", file=path, reason=str(error.orig)) from error


def _rebased(folder: str, before: str, root: Path) -> str:
    path = Path(folder)
    return str(root / path.relative_to(before)) if path.is_relative_to(before) else folder
