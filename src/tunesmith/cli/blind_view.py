"""Two answers to a question, side by side for a person who does not know whose they are."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Literal

from tunesmith.cli.output import Output

if TYPE_CHECKING:
    from tunesmith.workflow.judges.blind import Pair, Place

_KEYS: dict[str, Place] = {"1": "first", "2": "second", "=": "tie", "0": "tie"}
_QUIT: Literal["quit"] = "quit"


def run_blind(given: argparse.Namespace, output: Output) -> int:
    """Show pairs until there are no more or the person has enough; each rating is saved at once."""
    try:
        _rate(given, output)
    except KeyboardInterrupt:
        _summarise(given, output)
        raise
    _summarise(given, output)
    return 0


def _rate(given: argparse.Namespace, output: Output) -> None:
    from tunesmith.eval.judges import ratings
    from tunesmith.workflow.judges import blind

    for pair in blind.pairs(
        given.one_model, given.other_model, given.data, given.out, output.workspace,
        limit=given.limit, seed=given.seed,
    ):  # fmt: skip
        place = _asked(pair, output)
        if place == _QUIT:
            return
        if place is not None:
            ratings.append(given.out, pair.rating(place))


def _summarise(given: argparse.Namespace, output: Output) -> None:
    """What was rated, now and before, and whose it was."""
    from tunesmith.workflow.judges import blind

    rated = blind.read(given.out)
    counted = blind.summary(rated)
    output.data({"ratings": str(given.out), "rated": len(rated), **counted})
    named = {"one": given.one_model, "other": given.other_model, "file": given.out}
    output.line(output.say("blind_done", rated=len(rated), **named, **counted))


def _asked(pair: Pair, output: Output) -> Place | Literal["quit"] | None:
    """What the person says of a pair, None to skip it; what cannot be read is asked again."""
    show = output.hint if output.as_json else output.line
    show(f"\n── {pair.number} / {pair.total} " + "─" * 40 + f"\n{pair.prompt}")
    for number, text in enumerate(pair.shown, start=1):
        show(f"\n── {number} ──\n{text}")
    while True:
        show("\n" + output.say("blind_ask"))
        line = sys.stdin.readline()
        key = line.strip().lower()
        if not line or key in ("q", "quit"):
            return _QUIT
        if key in ("", "s"):
            return None
        if key in _KEYS:
            return _KEYS[key]
