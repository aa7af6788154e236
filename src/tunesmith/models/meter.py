"""How much a template may do: one budget for its steps, the text it makes and the lists it walks.

Costs are counted, not timed, so a template is refused on every machine or on none. Operations whose result
could be far larger than what they are given are held to a size before they are carried out. The processor
time of the thread is the last resort, for what no count foresaw.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jinja2 import TemplateError

# What a rendering may cost whatever it is given: some tens of megabytes and, on a slow machine, seconds.
_STEPS = 1_500_000
_TEXT = 1_000_000
_SECONDS = 3.0
# Steps after which the time is looked at, which takes longer than most of them.
_UNTIMED = 2_000
# Characters that cost one step.
_CHARACTERS = 8
# Real templates repeat what they are given a few times at most, and look at it some tens of times.
_REPEATED = 16
_LOOKED_AT = 64
_LARGEST_NUMBER_BITS = 1024
_LARGEST_WIDTH = 1000
_WIDE = re.compile(r"\d{4,}|\*")


class TooMuchError(TemplateError):
    """A template went over its budget; says by what."""


class Meter:
    """The budget of one rendering; it grows with the `size` of what the template is given, in characters."""

    def __init__(self, size: int) -> None:
        self.longest = _TEXT + _REPEATED * size
        self._steps = _STEPS + _LOOKED_AT * size
        self._timed = self._steps
        self._deadline = time.thread_time() + _SECONDS * (1 + size / _TEXT)

    def spend(self, steps: int) -> None:
        """Pay for some steps.

        Raises:
            TooMuchError: when the budget or the time is used up.
        """
        self._steps -= steps
        if self._steps < 0:
            raise TooMuchError("it does too many steps")
        if self._timed - self._steps > _UNTIMED:
            self._timed = self._steps
            if time.thread_time() > self._deadline:
                raise TooMuchError("it takes too long")

    def tick(self, steps: int) -> bool:
        """Pay for a block that is about to run; always true, so that it can stand in a condition."""
        self.spend(steps)
        return True

    def hold(self, length: int) -> None:
        """Refuse a text or list of more than the longest length before it is made."""
        if length > self.longest:
            raise TooMuchError("it makes texts or lists that are too long")

    def weigh(self, value: Any) -> Any:
        """Pay for a value by all that is in it, as often as it is in it; returns the value."""
        if isinstance(value, str):
            self.hold(len(value))
            self.spend(1 + len(value) // _CHARACTERS)
        elif isinstance(value, Mapping):
            self.spend(1)
            for key, item in value.items():
                self.weigh(key)
                self.weigh(item)
        elif isinstance(value, list | tuple):
            self.spend(1 + len(value) // _CHARACTERS)
            for item in value:
                self.weigh(item)
        return value

    def weight(self, value: Any) -> int:
        """What a value costs, which is paid."""
        before = self._steps
        self.weigh(value)
        return before - self._steps

    def text(self, value: Any) -> str:
        """A value as text, which has paid for itself."""
        self.weigh(value)
        if isinstance(value, str):
            return value
        made = str(value)
        self.weigh(made)
        return made

    def listed(self, value: Any) -> Any:
        """An iterator as a list whose items have paid; other values as they are."""
        return [self.weigh(item) for item in value] if isinstance(value, Iterator) else value

    def join(self, separator: Any, values: Sequence[Any]) -> str:
        """Texts joined by a separator."""
        between = self.text(separator)
        self.hold(len(between) * len(values))
        texts = [self.text(value) for value in values]
        self.hold(sum(map(len, texts)) + len(between) * len(texts))
        return str(self.weigh(between.join(texts)))

    def replaced(self, text: str, old: str, new: str) -> None:
        """Hold a replacement to the longest length."""
        self.hold(len(text) + (text.count(old) if old else len(text) + 1) * len(new))

    def formatted(self, text: str, values: Any) -> None:
        """Hold a `%` format to the longest length."""
        if _WIDE.search(text):
            raise TooMuchError("it pads text without bound")
        self.hold(len(text) + text.count("%") * self.weight(values) * _CHARACTERS)

    def wide(self, *given: Any) -> None:
        """Hold numbers that say how wide or how often to a moderate size."""
        if any(isinstance(value, int) and value > _LARGEST_WIDTH for value in given):
            raise TooMuchError("it pads text without bound")

    def operate(self, operator: str, left: Any, right: Any) -> None:
        """Hold what an operator would make to a size.

        Raises:
            TooMuchError: when the result would be too long a text or list, or too large a number.
        """
        self.spend(1)
        if operator == "*":
            for one, other in ((left, right), (right, left)):
                if isinstance(one, str | list | tuple) and isinstance(other, int):
                    self.hold(len(one) * other)
            self._numbers(_bits(left) + _bits(right))
        elif operator == "**":
            self._numbers(max(_bits(left), 1) * right if isinstance(right, int) else 0)
        elif operator == "%" and isinstance(left, str):
            self.formatted(left, right)
        elif operator == "+" and isinstance(left, str | list | tuple) and isinstance(right, type(left)):
            self.hold(len(left) + len(right))

    def _numbers(self, bits: int) -> None:
        if bits > _LARGEST_NUMBER_BITS:
            raise TooMuchError("it makes numbers that are too large")


def _bits(value: Any) -> int:
    return value.bit_length() if isinstance(value, int) else 0


_running = threading.local()


def running() -> Meter:
    """The meter of the rendering that this thread is busy with."""
    found: Meter = _running.meter
    return found


def start(meter: Meter | None) -> Meter | None:
    """Make this the meter of what this thread renders; returns the one before, to go back to."""
    before: Meter | None = getattr(_running, "meter", None)
    _running.meter = meter
    return before


def size_of(value: Any) -> int:
    """How much there is in a JSON value: its characters, and a few for every item."""
    if isinstance(value, str):
        return 4 + len(value)
    if isinstance(value, Mapping):
        return 4 + sum(size_of(key) + size_of(item) for key, item in value.items())
    return 4 + sum(map(size_of, value)) if isinstance(value, list | tuple) else 4
