"""Messages between a server and the process of an engine: JSON, and numbers as they lie in memory."""

from __future__ import annotations

import struct
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, BinaryIO

import numpy as np
import orjson
from numpy.typing import NDArray

_LENGTHS = struct.Struct("<II")  # of the JSON, and of the numbers behind it
_LONGEST = 2**28, 2**30  # of both, in bytes: more is asked by nobody, and no memory is taken for it

Message = dict[str, Any]


def write(message: Mapping[str, Any], numbers: NDArray[Any] | None = None) -> bytes:
    """A message as it is sent, with an array as its `numbers`.

    Raises:
        TypeError: when it has something that JSON has not, such as half a surrogate pair.
        ValueError: when it is too long to be received.
    """
    blob = b"" if numbers is None else np.ascontiguousarray(numbers).tobytes()
    form = {} if numbers is None else {"dtype": numbers.dtype.str, "shape": numbers.shape}
    head = orjson.dumps({**message, **form}, default=str)
    _check(len(head), len(blob))
    return b"".join((_LENGTHS.pack(len(head), len(blob)), head, blob))


def _check(*lengths: int) -> None:
    if any(length > longest for length, longest in zip(lengths, _LONGEST, strict=True)):
        raise ValueError(f"a message of {lengths} bytes is too long")


class Channel:
    """Two pipes. Any thread may send; one receives."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._sending = threading.Lock()

    def send(self, written: bytes) -> None:
        """Send what `write` has written.

        Raises:
            OSError: when the other side is gone, or this one was closed meanwhile.
        """
        with self._sending:
            try:
                self._outgoing.write(written)
                self._outgoing.flush()
            except ValueError as error:  # what a closed file says
                raise BrokenPipeError from error

    def receive(self) -> Message | None:
        """The next message; None when the other side is gone.

        Raises:
            ValueError: for what is no message.
        """
        lengths = self._read(_LENGTHS.size)
        if lengths is None:
            return None
        head_length, blob_length = _LENGTHS.unpack(lengths)
        _check(head_length, blob_length)
        head, blob = self._read(head_length), self._read(blob_length)
        if head is None or blob is None:
            return None
        message: Message = orjson.loads(head)
        if "dtype" in message:
            # Only numbers: an array of objects cannot be made of bytes.
            message["numbers"] = np.frombuffer(blob, dtype=np.dtype(message["dtype"])).reshape(
                message["shape"]
            )
        return message

    def _read(self, count: int) -> bytes | None:
        try:
            found = self._incoming.read(count)
        except (OSError, ValueError):  # closed meanwhile
            return None
        return found if len(found) == count else None

    def close(self) -> None:
        """Let go of the pipes; whatever was not sent is lost."""
        for pipe in (self._incoming, self._outgoing):
            with suppress(OSError):
                pipe.close()
