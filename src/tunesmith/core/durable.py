"""Writing so that a crash, a full disk or a power cut leaves the old state or the new one, never a mixture.

Files: temporary sibling, fsync, rename, fsync of the folder. Folders: the same, with a manifest of sizes and
sha256 written last; a reader accepts only a folder whose manifest verifies. A failed fsync is a failed write:
the temporary files are thrown away, and the same data is never synced twice (PostgreSQL's lesson of 2018).
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tunesmith.core.errors import ModelError, TunesmithError
from tunesmith.core.plain import dumps

MANIFEST = "MANIFEST.json"
_TEMPORARY = ".tmp-"
_OWNED = re.compile(re.escape(_TEMPORARY) + r"([0-9a-f]{8})-(\d{1,9})-[0-9a-f]{32}(?:\.(.+))?", re.S)
_SILENT_S = 24 * 3600
"""After so long a writer on another machine, whose processes cannot be asked for, is taken for gone."""
_LONGEST_NAME = 150
_CHUNK = 1 << 20
_REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES)
_IN_RUST = re.compile(r"\(os error (\d+)\)")


def write_bytes(path: Path, data: bytes) -> None:
    """Replace `path` by `data`, or leave it as it was.

    Raises:
        TunesmithError: C02 when the system refuses to write.
    """
    with new_file(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as readable JSON, infinity and NaN as words."""
    write_bytes(path, (dumps(value, indent=1) + "\n").encode())


def write_once(path: Path, data: bytes) -> None:
    """Make `path`, which only its owner may read, unless it is there: of several writers one wins.

    A reader sees no file or the whole of it.

    Raises:
        TunesmithError: C02 when the system refuses to write.
    """
    temporary = _temporary(path)
    with _disk(path):
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(temporary, path)
            _sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    """A new name beside `path`; it says whose it is and what for, so that `sweep` can tell and mend."""
    wanted = f".{path.name}" if len(path.name.encode()) <= _LONGEST_NAME else ""
    return path.parent / f"{_TEMPORARY}{host()}-{os.getpid()}-{uuid.uuid4().hex}{wanted}"


def host() -> str:
    """Eight hexadecimal digits for this machine, or this container, by its name."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """The name of a temporary sibling; what the block wrote there becomes `path` when it ends without error.

    Raises:
        TunesmithError: C02 when the system refuses to write.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    with _disk(path):
        try:
            yield temporary
            _sync_file(temporary)
            os.replace(temporary, path)
            _sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def scratch(beside: Path) -> Iterator[Path]:
    """A temporary folder in the folder `beside`, gone when the block ends.

    Raises:
        TunesmithError: C02 when the system refuses to make it.
    """
    folder = _temporary(beside / "scratch")
    with _disk(beside):
        folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder that becomes `path`, whole and with a manifest, when the block ends without error.

    A folder that is already at `path` is replaced.

    Raises:
        TunesmithError: C02 when the system refuses to write.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    with _disk(path):
        try:
            temporary.mkdir()
            yield temporary
            seal(temporary)
            _move_in(temporary, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def seal(folder: Path) -> None:
    """Sync every file of `folder`, then write and sync its manifest."""
    manifest = {"format": 1, "files": {}}
    for file in _files(folder):
        _sync_file(file)
        name = file.relative_to(folder).as_posix()
        manifest["files"][name] = {"size": file.stat().st_size, "sha256": sha256(file)}  # type: ignore[index]
    with (folder / MANIFEST).open("w", encoding="utf-8") as out:
        json.dump(manifest, out, indent=1, sort_keys=True)
        out.flush()
        os.fsync(out.fileno())
    for inner in (*(p for p in folder.rglob("*") if p.is_dir()), folder):
        _sync_folder(inner)


def remove_folder(path: Path) -> None:
    """Remove a folder. Cut off in it, nothing looks damaged: `sweep` ends it, or puts back what is whole."""
    gone = _temporary(path)
    os.rename(path, gone)
    _sync_folder(path.parent)
    shutil.rmtree(gone)


def _move_in(temporary: Path, path: Path) -> None:
    old = []
    while True:
        if path.exists():
            old.append(_temporary(path))
            with suppress(FileNotFoundError):
                os.rename(path, old[-1])
        try:
            os.rename(temporary, path)
            break
        except OSError as error:
            # Another process has put one there in between.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
    _sync_folder(path.parent)
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)


def link_files(source: Path, folder: Path) -> None:
    """Put the files of `source` into `folder` without copying their bytes, where the disk can do that."""
    for file in _files(source):
        target = folder / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(file, target)
        except OSError:
            shutil.copyfile(file, target)


def link_all(source: Path, folder: Path) -> None:
    """As `link_files`, with the manifest."""
    link_files(source, folder)
    if (source / MANIFEST).exists():
        shutil.copyfile(source / MANIFEST, folder / MANIFEST)


def put(made: Path, path: Path) -> None:
    """Let a file or a folder that is complete and synced take the place `path`, on the same disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _disk(path):
        if made.is_dir():
            for inner in (*(p for p in made.rglob("*") if p.is_dir()), made):
                _sync_folder(inner)
            _move_in(made, path)
        else:
            os.replace(made, path)
            _sync_folder(path.parent)


def verify(folder: Path) -> str:
    """Check every file against the manifest; returns the digest of the folder (sha256 of the manifest).

    Raises:
        ModelError: C03 when the manifest is missing; C04 naming the first file that differs.
    """
    files = manifest_files(folder)
    present = {file.relative_to(folder).as_posix() for file in _files(folder)}
    for name in sorted(present ^ files.keys()):
        raise ModelError("C04", file=folder / name, expected=name in files, found=name in present)
    for name, entry in files.items():
        found = sha256(folder / name)
        if found != entry["sha256"]:
            raise ModelError("C04", file=folder / name, expected=entry["sha256"], found=found)
    return digest(folder)


def manifest_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Name, size and sha256 of every file the manifest lists.

    Raises:
        ModelError: C03 when there is no readable manifest.
    """
    try:
        value = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files: dict[str, dict[str, Any]] = value["files"]
        complete = all("sha256" in entry for entry in files.values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError("C03", file=folder) from error
    if not complete:
        raise ModelError("C03", file=folder)
    return files


def digest(folder: Path) -> str:
    """The sha256 of what the manifest says of the folder's content."""
    content = json.dumps(manifest_files(folder), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def is_valid(folder: Path) -> bool:
    """Whether the folder is there and verifies."""
    try:
        verify(folder)
    except (ModelError, OSError):
        return False
    return True


def sweep(folder: Path) -> list[Path]:
    """End what interrupted writes began; what a living process writes is kept.

    What another machine, or a container of another name, writes into a shared folder counts as interrupted
    a day after its last change.

    A folder that is complete takes its place if nothing stands there: whoever replaced it was stopped between
    moving the old one away and the new one in. All else is removed. Returns what was put into its place.
    """
    mended = []
    for left in abandoned(folder):
        target = _meant_for(left)
        if target is not None and not target.exists() and left.is_dir() and is_valid(left):
            os.rename(left, target)
            _sync_folder(folder)
            mended.append(target)
        elif left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)
    return mended


def abandoned(folder: Path) -> list[Path]:
    """What interrupted writes left in `folder`, the newest first."""
    left = [path for path in folder.glob(f"{_TEMPORARY}*") if (owner := _OWNED.fullmatch(path.name))
            and _is_left(path, owner[1], int(owner[2]))]  # fmt: skip
    return sorted(left, key=lambda path: path.lstat().st_mtime, reverse=True)


def _meant_for(left: Path) -> Path | None:
    """What was to be called so, if its name says it."""
    found = _OWNED.fullmatch(left.name)
    return left.with_name(found[3]) if found and found[3] else None


def _is_left(path: Path, machine: str, process: int) -> bool:
    if machine == host():
        return not _is_alive(process)
    return time.time() - _last_change(path) > _SILENT_S


def _last_change(path: Path) -> float:
    """When anything in it was written, or it was moved; now for what ends meanwhile."""
    try:
        # A folder that was moved away keeps its `mtime`, which may be years old.
        return max(max(found.st_mtime, found.st_ctime)
                   for found in (one.lstat() for one in (path, *path.rglob("*"))))  # fmt: skip
    except FileNotFoundError:
        return time.time()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it is there, and somebody else's
    return True


def append_line(path: Path, line: str) -> None:
    """Add one line to a log in a single write, so that a reader never sees parts of two lines mixed."""
    with _disk(path), path.open("ab") as file:
        file.write(line.encode() + b"\n")


def sha256(path: Path) -> str:
    """The sha256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST)


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    """Turn what the system says into an error that names the file and the room left."""
    try:
        yield
    except Exception as error:
        number = _system_error(error)
        if number not in _REFUSALS:
            raise
        free = shutil.disk_usage(path.parent).free // _CHUNK if path.parent.exists() else 0
        raise TunesmithError("C02", file=path, reason=os.strerror(number), free_mb=free) from error


def _system_error(error: Exception) -> int:
    """The number the system gave; libraries written in Rust have it in their text. 0 when there is none."""
    if isinstance(error, OSError):
        return error.errno or 0
    found = _IN_RUST.search(str(error))
    return int(found[1]) if found else 0
