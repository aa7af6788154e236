"""A comparison in 80 columns: models have letters, and every table the room for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from tunesmith.cli import layout
from tunesmith.cli.output import Output
from tunesmith.core.plain import dumps
from tunesmith.pages.words import Speaker

if TYPE_CHECKING:
    from tunesmith.eval.comparison import Comparison, Pair, Said
    from tunesmith.eval.significance import Interval

_SHOWN = 3
_WIDTH = 80
_LINE = 58
_CHANGED = ("fixed", "broken")


def show(found: Comparison, output: Output) -> None:
    """Who is compared on what; figures, differences, rows that changed, answers, and recipes."""
    letters = dict(zip(found.models, _letters(len(found.models)), strict=True))
    for name, letter in letters.items():
        output.line(f"  {letter}  {name}")
    _rows(found, output)
    _figures(found, letters, output)
    _differences(found, letters, output)
    for pair in found.pairs:
        _changes(pair, letters, output)
    if found.answers:
        output.line(f"\n{_say('answers', output)}")
        _said(found.answers, [*letters.values()], output)
    _recipe(found, letters, output)


def _letters(count: int) -> Iterable[str]:
    return ascii_uppercase[:count] if count <= len(ascii_uppercase) else map(str, range(1, count + 1))


def _say(key: str, output: Output, **values: Any) -> str:
    return Speaker("compare", output.lang)(key, **values)


def _rows(found: Comparison, output: Output) -> None:
    said = [_say("rows_common", output, rows=f"{found.rows:,}")]
    said += [
        _say("rows_own", output, name=name, rows=f"{rows:,}")
        for name, rows in zip(found.models, found.own_rows, strict=True)
        if rows != found.rows
    ]
    if found.left_out:
        said.append(_say("left_out", output, metrics=", ".join(found.left_out)))
    for line in layout.wrap(("；" if output.lang == "zh" else "; ").join(said), _WIDTH):
        output.line(line)


def _figures(found: Comparison, letters: Mapping[str, str], output: Output) -> None:
    columns = [_say(key, output) for key in ("metric", "model", "figure", "interval")]
    rows = [
        [
            metric if not place else "",
            letter,
            _number(values[place], 4),
            _range(found.intervals[metric][place]),
        ]
        for metric, values in found.scores.items()
        for place, letter in enumerate(letters.values())
    ]
    output.table(columns, rows)


def _range(where: Interval | None) -> str:
    return f"{_number(where.low, 4)} … {_number(where.high, 4)}" if where else "-"


def _number(value: float, decimals: int, sign: str = "") -> str:
    """A figure, with a decimal less for each digit before them beyond the first."""
    if not isfinite(value):
        return str(value)
    digits = len(str(int(abs(value))))
    return f"{value:{sign}.{max(0, decimals + 1 - digits)}f}"


def _differences(found: Comparison, letters: Mapping[str, str], output: Output) -> None:
    columns = ["metric", "pair", "difference", "interval", "p", "detectable", "verdict"]
    rows = [
        [
            each.metric,
            f"{letters[pair.model]}-{letters[pair.beside]}",
            _number(each.value, 4, "+"),
            _number(each.low, 3, "+") + "…" + _number(each.high, 3, "+"),
            f"{each.p:.3f}",
            _number(each.detectable, 3),
            _say(found.verdict(each), output),
        ]
        for pair in found.pairs
        for each in pair.differences
    ]
    if rows:
        output.table([_say(key, output) for key in columns], rows)


def _changes(pair: Pair, letters: Mapping[str, str], output: Output) -> None:
    if pair.changes is None:
        return
    title = _say("changes_of", output, model=letters[pair.model], beside=letters[pair.beside])
    counts = [f"{_say(kind, output)} {count:,}" for kind, count in pair.changes.counts.items()]
    output.line(f"{title}: " + " · ".join(counts))
    for kind in _CHANGED:
        if shown := pair.changes.examples[kind]:
            output.line(f"  {_say(kind, output)}")
            _said(shown, [letters[pair.beside], letters[pair.model]], output)


def _said(rows: Sequence[Said], names: Sequence[str], output: Output) -> None:
    target = _say("target", output)
    for row in rows[:_SHOWN]:
        output.line(f"    {_first(row.text)}")
        sides = [(target, row.target), *zip(names, row.answers, strict=True)]
        for line in layout.pairs([(f"    {name}", _first(answer)) for name, answer in sides], _WIDTH):
            output.line(line)


def _first(words: str) -> str:
    """What of a text goes into one line."""
    lines = layout.wrap(words, _LINE)
    return lines[0] + ("…" if len(lines) > 1 else "")


def _recipe(found: Comparison, letters: Mapping[str, str], output: Output) -> None:
    if found.recipe:
        rows = [[key, *map(_value, values)] for key, values in found.recipe.items()]
        output.table(["", *letters.values()], rows, title=_say("recipe", output))
    elif found.recipe is not None:
        output.line(_say("recipe_same", output))


def _value(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else dumps(value)
