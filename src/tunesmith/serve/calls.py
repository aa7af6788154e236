"""Calls of tools, read out of an answer's text while it comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tunesmith.models.calls import CallForm
from tunesmith.models.stop_strings import overlap


@dataclass(frozen=True, slots=True)
class Text:
    """What is said before any call."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A part of the call number `index`: its name first, then its arguments piece by piece."""

    index: int
    name: str | None
    arguments: str = ""


@dataclass(slots=True)
class _Nesting:
    """Where in a JSON object we are."""

    depth: int = 0
    quoted: bool = False
    escaped: bool = False

    def closes(self, character: str) -> bool:
        """Whether this character ends the object."""
        if self.quoted:
            self.quoted = self.escaped or character != '"'
            self.escaped = character == "\\" and not self.escaped
            return False
        self.quoted = character == '"'
        self.depth += (character in "{[") - (character in "}]")
        return self.depth == 0 and character in "}]"


@dataclass(slots=True)
class CallReader:
    """Feed it an answer's text piece by piece; `called` becomes true with the first call."""

    form: CallForm
    called: bool = False
    _spoke: bool = False
    _held: str = ""
    _stage: str = "text"
    _index: int = 0
    _nesting: _Nesting = field(default_factory=_Nesting)

    def feed(self, text: str, *, last: bool) -> list[Text | Call]:
        """What is certain now and was not before; with `last` there is no more text."""
        self._held += text
        return list(self._read(last))

    def _read(self, last: bool) -> Iterator[Text | Call]:
        if self._stage == "text":
            yield from self._text(last)
        while self._stage != "text" and self._held:
            before = (self._stage, self._held)
            yield from self._step(last)
            if before == (self._stage, self._held):
                return

    def _step(self, last: bool) -> Iterator[Call]:
        if self._stage == "name":
            return self._name()
        return self._arguments() if self._stage == "arguments" else self._after(last)

    def _text(self, last: bool) -> Iterator[Text]:
        said, found, rest = self._held.partition(self.form.before)
        if found:
            self._held, self._stage, self.called = rest, "name", True
        else:
            said = self._hold(said, 0 if last else overlap(said, self.form.before), last)
        # White space before a call is nobody's answer.
        if said and (self._spoke or not found or not said.isspace()):
            self._spoke = True
            yield Text(said)

    def _hold(self, said: str, count: int, last: bool) -> str:
        """Keep the last `count` characters back, or all while nothing is said yet; returns the others."""
        passed = len(said) - count
        if not last and not self._spoke and said[:passed].isspace():
            passed = 0
        self._held = said[passed:]
        return said[:passed]

    def _name(self) -> Iterator[Call]:
        name, found, rest = self._held.partition(self.form.between)
        if found:
            self._held, self._stage, self._nesting = rest, "arguments", _Nesting()
            yield Call(self._index, name)

    def _arguments(self) -> Iterator[Call]:
        closed = next((i for i, c in enumerate(self._held) if self._nesting.closes(c)), None)
        end = len(self._held) if closed is None else closed + 1
        arguments, self._held = self._held[:end], self._held[end:]
        if closed is not None:
            self._stage = "after"
        yield Call(self._index, None, arguments)

    def _after(self, last: bool) -> Iterator[Call]:
        middle = self.form.middle
        if middle and self._held.startswith(middle):
            self._held, self._stage = self._held[len(middle) :], "name"
            self._index += 1
        elif not middle or last or not middle.startswith(self._held):
            self._held = ""
        yield from ()
