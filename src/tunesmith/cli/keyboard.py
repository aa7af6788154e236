"""Keys and lines from a person at a terminal, over ssh too, or from a script.

On a terminal a single key is read at once. What may be composed (Chinese, accents) is read as a line, which
the terminal edits by itself: an input method ends its own composition there, and no half of a character
arrives. Where stdin is no terminal every key is a line of it.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from typing import Protocol

_SEQUENCE_S = 0.03
"""The bytes of one key follow each other faster than hands do."""


class Keyboard(Protocol):
    """Where keys come from."""

    def key(self) -> str | None:
        """One key, `enter` and `space` by name; None when there will be no more."""

    def line(self) -> str | None:
        """A line without its end; None when there will be no more."""


class Script:
    """Keys as lines of a text; an empty line is Enter."""

    def __init__(self, readline: Callable[[], str]) -> None:
        self._readline = readline

    def key(self) -> str | None:
        """See `Keyboard`."""
        said = self.line()
        return None if said is None else named(said or "\n")

    def line(self) -> str | None:
        """See `Keyboard`."""
        said = self._readline()
        return said.rstrip("\r\n") if said else None


class Terminal:
    """Keys of a terminal, as they are pressed."""

    def key(self) -> str | None:
        """See `Keyboard`."""
        import termios
        import tty

        number = sys.stdin.fileno()
        before = termios.tcgetattr(number)
        try:
            # Not flushing: what a quick hand typed meanwhile counts.
            tty.setcbreak(number, termios.TCSADRAIN)
            _await(number)
            read = os.read(number, 1)
            # The other bytes of a character beyond ASCII come with its first.
            while read and not _is_whole(read):
                read += os.read(number, 1)
            if read == b"\x1b":
                _read_sequence(number)
        finally:
            termios.tcsetattr(number, termios.TCSADRAIN, before)
        return None if read in (b"", b"\x04") else named(read.decode("utf-8", "replace"))

    def line(self) -> str | None:
        """See `Keyboard`."""
        _await(sys.stdin.fileno())
        said = sys.stdin.readline()
        return said.rstrip("\r\n") if said else None


def keyboard() -> Keyboard:
    """That of the terminal, or the script that stdin is."""
    return Terminal() if sys.stdin.isatty() else Script(sys.stdin.readline)


def named(said: str) -> str:
    """A key by its name; full-width ones, as Chinese input methods give them, are the plain ones."""
    if said in ("\n", "\r"):
        return "enter"
    if said == " ":
        return "space"
    if said in ("\x7f", "\b"):
        return "backspace"
    if said == "\x1b":
        return "escape"
    return "".join(chr(ord(c) - 0xFEE0) if "！" <= c <= "～" else c for c in said.strip())


def _await(number: int) -> None:
    """Wait until there is something to read; Ctrl-C ends that.

    It would not end the reading itself, which the system takes up again behind the signal handler of polars.
    """
    select.select([number], [], [])


def _read_sequence(number: int) -> None:
    """The rest of what an arrow or function key sends, whose letters are no keys of their own."""
    while select.select([number], [], [], _SEQUENCE_S)[0]:
        read = os.read(number, 1)
        if not read or (read.isalpha() and read != b"O") or read == b"~":
            return


def _is_whole(read: bytes) -> bool:
    try:
        read.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason != "unexpected end of data"
    return True
