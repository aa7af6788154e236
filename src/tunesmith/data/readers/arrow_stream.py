"""The stream form of Arrow files, in which Hugging Face data sets are saved, one record batch at a time.

Such a file is a list of messages: the schema, dictionaries, record batches. Only their heads are read here;
each record batch is given to polars behind the schema and the dictionaries before it.
Source: Arrow columnar format 1.5, "Encapsulated message format" and "IPC streaming format".
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import polars as pl

MAGIC = b"\xff\xff\xff\xff"
_RECORD_BATCH = 3
_END = MAGIC + b"\0\0\0\0"
# Positions of fields in the table `Message` of Message.fbs.
_HEADER_TYPE, _BODY_LENGTH = 1, 3


def frames(path: Path) -> Iterator[pl.DataFrame]:
    """The record batches of a file.

    Raises:
        ValueError: when it is cut off or damaged.
    """
    before: list[bytes] = []
    with path.open("rb") as file:
        while message := _message(file):
            kind, content = message
            if kind == _RECORD_BATCH:
                yield pl.read_ipc_stream(io.BytesIO(b"".join((*before, content, _END))))
            else:
                before.append(content)


def _message(file: IO[bytes]) -> tuple[int, bytes] | None:
    """The next message: its kind, and all of its bytes."""
    prefix = file.read(8)
    if len(prefix) < 8 or prefix[:4] != MAGIC:
        if not prefix:
            return None
        raise ValueError("not an Arrow message")
    (length,) = struct.unpack("<i", prefix[4:])
    if length == 0:
        return None
    head = file.read(length) if length > 0 else b""
    kind, body_length = _field(head, _HEADER_TYPE, "<B"), _field(head, _BODY_LENGTH, "<q")
    body = file.read(body_length) if body_length >= 0 else b""
    if len(head) < length or len(body) != body_length:
        raise ValueError("an Arrow message is cut off")
    return kind, prefix + head + body


def _field(table: bytes, number: int, form: str) -> int:
    """A number in the root table of a flat buffer; 0, the default, when it is left out."""
    try:
        (root,) = struct.unpack_from("<I", table)
        (back,) = struct.unpack_from("<i", table, root)
        (size,) = struct.unpack_from("<H", table, root - back)
        entry = 4 + 2 * number
        (offset,) = struct.unpack_from("<H", table, root - back + entry) if entry < size else (0,)
        return int(struct.unpack_from(form, table, root + offset)[0]) if offset else 0
    except struct.error as error:
        raise ValueError("not an Arrow message") from error
