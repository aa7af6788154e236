"""What an archive of a workspace says of itself, and which names it may have.

BACKUP.json           format, schema, where the workspace was, its rows; name, size and sha256 of files
objects/<sha256>      each content once
"""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from tunesmith.core.errors import DataError
from tunesmith.core.plain import dumps, figures
from tunesmith.core.store import migrating
from tunesmith.core.store.copying import Rows

NAME = "BACKUP.json"
FORMAT = 1
FOLDERS = ("models", "runs", "hosted", "judges")
PEPPER = "pepper"
_OBJECT = "objects/{sha256}"
_HEX = re.compile(r"[0-9a-f]{64}")
_LARGEST = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of the workspace: where it was, its bytes, their sha256."""

    name: str
    size: int
    sha256: str

    @property
    def entry(self) -> str:
        """What its content is called in the archive."""
        return _OBJECT.format(sha256=self.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """All that an archive holds. `root` is the folder of the workspace it was made of."""

    schema: str
    root: str
    created: float
    tables: dict[str, Rows]
    files: tuple[File, ...]

    def dump(self) -> bytes:
        """As BACKUP.json."""
        return dumps({"format": FORMAT, **asdict(self)}, indent=1).encode()


def read(archive: zipfile.ZipFile, path: Path) -> Contents:
    """What an archive says it holds.

    Raises:
        DataError: R36 when it is no backup or is damaged; R37 when a name leads out of the workspace; R35
            when a newer Tunesmith wrote it.
    """
    try:
        info = archive.getinfo(NAME)
        if info.file_size > _LARGEST:
            raise DataError("R36", file=path, reason=f"{NAME}: {info.file_size} bytes")
        found = _parsed(json.loads(archive.read(info)))
    except (KeyError, ValueError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise DataError("R36", file=path, reason=str(error)) from error
    if found.schema not in migrating.known():
        raise DataError("R35", store=path, found=found.schema, known=migrating.known()[-1])
    for file in found.files:
        if not _is_safe(file.name) or not _HEX.fullmatch(file.sha256):
            raise DataError("R37", file=path, name=file.name)
    return found


def _parsed(value: dict[str, Any]) -> Contents:
    if value.pop("format") != FORMAT:
        raise ValueError("format")
    files = tuple(File(**file) for file in value.pop("files"))
    tables = {str(name): [dict(figures(row)) for row in rows] for name, rows in value.pop("tables").items()}
    found = Contents(files=files, tables=tables, **value)
    texts = (found.schema, found.root, *(text for file in files for text in (file.name, file.sha256)))
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("texts")
    if not all(isinstance(file.size, int) and file.size >= 0 for file in files):
        raise ValueError("sizes")
    return found


def _is_safe(name: str) -> bool:
    """Whether a name stays within the places of a workspace that an archive may fill."""
    path = PurePosixPath(name)
    plain = str(path) == name and "\\" not in name and "\0" not in name
    inside = path.parts[:1] in [(folder,) for folder in FOLDERS] and len(path.parts) > 1
    return plain and (inside or name == PEPPER) and ".." not in path.parts
