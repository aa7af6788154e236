"""Ending a text at a string, without letting through the first half of that string."""

from __future__ import annotations

from collections.abc import Sequence


class StopStrings:
    """Lets text pass up to the first of `stops`; holds back an end that could still become one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""

    def feed(self, text: str) -> tuple[str, bool]:
        """The text that may be shown now, and whether a stop string was met."""
        text = self._held + text
        found = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            self._held = ""
            return text[: min(found)], True
        held = max((overlap(text, stop) for stop in self._stops), default=0)
        passed = len(text) - held
        self._held = text[passed:]
        return text[:passed], False

    def flush(self) -> str:
        """What was held back."""
        text, self._held = self._held, ""
        return text


def overlap(text: str, stop: str) -> int:
    """The length of the longest end of `text` that is a beginning of `stop`."""
    lengths = range(min(len(text), len(stop) - 1), 0, -1)
    return next((length for length in lengths if text.endswith(stop[:length])), 0)
