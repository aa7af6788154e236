"""Making an archive of a workspace while others work in it."""

from __future__ import annotations

import shutil
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tunesmith.core import durable
from tunesmith.core.backup.contents import NAME, Contents, File
from tunesmith.core.errors import UsageError
from tunesmith.core.store import Store, copying, migrating
from tunesmith.core.store.keys import PEPPER
from tunesmith.core.workspace import Workspace

# Of a run: not what it could be continued from, nor what belongs to the process that works on it.
_LEFT_OUT = ("checkpoints", ".lock", ".owner")
_SMALL = ("hosted", "judges")
_WHOLE = {".safetensors", ".parquet"}


def backup(workspace: Workspace, path: Path, *, runs: bool = True) -> Contents:
    """Write the store, the models of its releases, hosted models, how judges agree, the pepper, and `runs`.

    Rows and model folders are those of one moment: nothing is published or removed while the folders are
    linked, which takes no copying. The archive appears whole, and only its owner may read it.

    Raises:
        UsageError: U03 when `path` exists.
    """
    if path.exists():
        raise UsageError("U03", file=path)
    store = Store(workspace.database)
    with durable.scratch(workspace.root / "backup") as scratch:
        tables = _gather(store, workspace, scratch, runs=runs)
        store.close()
        with durable.new_file(path) as temporary:
            temporary.touch(mode=0o600)
            return _write(temporary, scratch, workspace, tables)


def _gather(store: Store, workspace: Workspace, scratch: Path, *, runs: bool) -> dict[str, copying.Rows]:
    with store.backend.writing() as connection:
        tables = copying.read(connection)
        for row in tables["releases"]:
            folder = Path(row["folder"])
            if folder.is_relative_to(workspace.root) and folder.is_dir():
                durable.link_all(folder, scratch / folder.relative_to(workspace.root))
    for run in workspace.runs.glob("*/recipe.lock.yaml") if runs else ():
        _copy_run(run.parent, scratch / "runs" / run.parent.name)
    small = (file for name in _SMALL for file in (workspace.root / name).glob("*.json"))
    for file in (workspace.root / PEPPER, *small):
        if file.is_file():
            _copy(file, scratch / file.relative_to(workspace.root))
    return tables


def _copy_run(run: Path, target: Path) -> None:
    """The files of a run as they are now: logs of one that goes on would grow while they are read."""
    for file in sorted(run.rglob("*")):
        inner = file.relative_to(run)
        if file.is_file() and inner.parts[0] not in _LEFT_OUT and not inner.parts[0].startswith(".tmp-"):
            _copy(file, target / inner)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _write(path: Path, scratch: Path, workspace: Workspace, tables: dict[str, copying.Rows]) -> Contents:
    with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
        files = tuple(_add(archive, scratch))
        contents = Contents(
            schema=migrating.known()[-1],
            root=str(workspace.root),
            created=time.time(),
            tables=tables,
            files=files,
        )
        archive.writestr(NAME, contents.dump(), zipfile.ZIP_DEFLATED)
    return contents


def _add(archive: zipfile.ZipFile, scratch: Path) -> Iterator[File]:
    known: set[str] = set()
    for file in sorted(path for path in scratch.rglob("*") if path.is_file()):
        name = file.relative_to(scratch).as_posix()
        made = File(name=name, size=file.stat().st_size, sha256=durable.sha256(file))
        if made.sha256 not in known:
            known.add(made.sha256)
            packed = zipfile.ZIP_STORED if file.suffix in _WHOLE else zipfile.ZIP_DEFLATED
            archive.write(file, made.entry, packed, compresslevel=1)
        yield made
