"""The bytes of a file in pieces of bounded size, unpacked when it is compressed.

Knows gzip, bzip2 and xz by their first bytes; nothing of text.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tunesmith.core.errors import DataError, NotFoundError

_PACKED: tuple[tuple[bytes, type[gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile]], ...] = (
    (b"\x1f\x8b", gzip.GzipFile),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\x00", lzma.LZMAFile),
)
_SUFFIXES = (".gz", ".bz2", ".xz")


def head(path: Path, size: int, *, packed: bool = False) -> bytes:
    """The first bytes, unpacked unless `packed`.

    Raises:
        NotFoundError: D01 when there is no such file.
        DataError: D03 when it cannot be read, D15 when it is a folder.
    """
    if path.is_dir():
        raise DataError("D15", file=path)
    if not packed:
        return next(pieces(path, size), b"")
    with _opened(path) as file:
        return file.read(size)


def pieces(path: Path, size: int) -> Iterator[bytes]:
    """All bytes in order, `size` at a time; the last piece may be shorter.

    Raises:
        NotFoundError: D01 when there is no such file.
        DataError: D03 when it cannot be read or unpacked.
    """
    start = head(path, 6, packed=True)
    opener = next((opener for magic, opener in _PACKED if start.startswith(magic)), None)
    try:
        with _opened(path) if opener is None else opener(path) as file:
            while piece := file.read(size):
                yield piece
    except (EOFError, zlib.error, lzma.LZMAError, OSError) as error:
        raise DataError("D03", file=path, reason=_reason(error)) from error


def suffix(path: Path) -> str:
    """The suffix that names the format: `.csv` for `a.csv.gz` too."""
    inner = path.with_suffix("") if path.suffix.lower() in _SUFFIXES else path
    return inner.suffix.lower()


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise NotFoundError("D01", file=path) from error
    except (OSError, ValueError) as error:
        raise DataError("D03", file=path, reason=_reason(error)) from error


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
