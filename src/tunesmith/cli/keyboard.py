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
_LOOK_S = 0.5
_LINE = 4096


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

    def __init__(self) -> None:
        self._typed = b""  # read from the terminal and not used yet

    def key(self) -> str | None:
        """See `Keyboard`."""
        import termios
        import tty

        number = sys.stdin.fileno()
        before = termios.tcgetattr(number)
        try:
            # Not flushing: what a quick hand typed meanwhile counts.
            tty.setcbreak(number, termios.TCSADRAIN)
            read = self._byte(number)
            # The other bytes of a character beyond ASCII come with its first.
            while read and not _is_whole(read):
                read += self._byte(number)
            if read == b"\x1b":
                self._skip_sequence(number)
        finally:
            termios.tcsetattr(number, termios.TCSADRAIN, before)
        return None if read in (b"", b"\x04") else named(read.decode("utf-8", "replace"))

    def line(self) -> str | None:
        """See `Keyboard`."""
        number = sys.stdin.fileno()
        # Not by sys.stdin, which would keep to itself what was typed after the line.
        while b"\n" not in self._typed:
            _await(number)
            read = os.read(number, _LINE)
            if not read:
                break
            self._typed += read
        said, end, self._typed = self._typed.partition(b"\n")
        return said.decode("utf-8", "replace").rstrip("\r") if said or end else None

    def _byte(self, number: int) -> bytes:
        if not self._typed:
            _await(number)
            self._typed = os.read(number, 1)
        taken, self._typed = self._typed[:1], self._typed[1:]
        return taken

    def _skip_sequence(self, number: int) -> None:
        """The rest of what an arrow or function key sends, whose letters are no keys of their own."""
        while self._typed or select.select([number], [], [], _SEQUENCE_S)[0]:
            read = self._byte(number)
            if not read or (read.isalpha() and read != b"O") or read == b"~":
                return


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

    It would not end the reading itself, which the system takes up again behind the signal handler of polars,
    nor a wait that it comes just before: so this looks twice a second.
    """
    while not select.select([number], [], [], _LOOK_S)[0]:
        pass


def _is_whole(read: bytes) -> bool:
    try:
        read.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason != "unexpected end of data"
    return True
