"""A comparison as one page for people: it loads nothing, runs nothing, and treats all it shows as text."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from tunesmith.core.plain import dumps
from tunesmith.core.text import language
from tunesmith.eval.comparison import CHANGES, Comparison
from tunesmith.eval.page.scores import chance, signed
from tunesmith.pages import forest
from tunesmith.pages.forest import Mark
from tunesmith.pages.template import fill
from tunesmith.pages.words import Speaker, number


def render(found: Comparison, lang: str) -> str:
    """The whole page in `zh` or `en`, as HTML in one string that UTF-8 can write."""
    say, names = Speaker("compare", language(lang)), Speaker("eval", language(lang))
    return fill(
        "tunesmith.eval",
        "comparison.html",
        say,
        found=found,
        names=names,
        lead=_lead(found, say, names),
        figures=list(_figures(found, say, names)),
        differences=list(_differences(found, say, names)),
        signed=signed,
        chance=chance,
        setting=_setting,
        kinds=[kind for kind in CHANGES if kind != "both_right"],
    )


def _lead(found: Comparison, say: Speaker, names: Speaker) -> str:
    """What the first metric says of each pair."""
    first = next(iter(found.scores), "")
    metric = names.name("metric", first)
    shown = [
        _better(each.value, pair.model, pair.beside, found.verdict(each) == "better", say, metric)
        for pair in found.pairs
        for each in pair.differences
        if each.metric == first and each.is_shown
    ]
    return say.gap.join(shown) if shown else say("lead_none", metric=metric)


def _better(value: float, model: str, beside: str, is_better: bool, say: Speaker, metric: str) -> str:
    better, worse = (model, beside) if is_better else (beside, model)
    return say("lead_better", metric=metric, model=better, beside=worse, value=number(abs(value)))


def _figures(found: Comparison, say: Speaker, names: Speaker) -> Iterator[tuple[str, str, Markup]]:
    """Of each metric its name, whether more is better, and all models with their intervals."""
    for metric, values in found.scores.items():
        ends = [(each.low, each.high) if each else None for each in found.intervals[metric]]
        marks = [
            Mark(name=model, value=value, low=(end or (value, value))[0], high=(end or (value, value))[1],
                 said=number(value))
            for model, value, end in zip(found.models, values, ends, strict=True)
        ]  # fmt: skip
        name = names.name("metric", metric)
        yield name, names(found.directions[metric]), _drawn(name, marks, say, zero=False)


def _differences(found: Comparison, say: Speaker, names: Speaker) -> Iterator[tuple[str, Markup]]:
    """Of each metric its name and all pairs with the intervals of their differences."""
    for metric in found.scores:
        marks = [
            Mark(name=say("changes_of", model=pair.model, beside=pair.beside), value=each.value,
                 low=each.low, high=each.high, said=signed(each.value))
            for pair in found.pairs
            for each in pair.differences
            if each.metric == metric
        ]  # fmt: skip
        if marks:
            name = names.name("metric", metric)
            yield name, _drawn(name, marks, say, zero=True)


def _drawn(metric: str, marks: list[Mark], say: Speaker, *, zero: bool) -> Markup:
    values = "; ".join(
        f"{mark.name} {mark.said} ({number(mark.low)} – {number(mark.high)})" for mark in marks
    )
    return forest.forest(metric, say("chart_desc", metric=metric, values=values), marks, zero=zero)


def _setting(value: object) -> str:
    """A setting of a recipe as text."""
    if value is None:
        return "–"
    return value if isinstance(value, str) else dumps(value)
