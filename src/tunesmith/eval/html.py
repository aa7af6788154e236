"""The report as one page for people: it loads nothing, runs nothing, and treats all it shows as text."""

from __future__ import annotations

from functools import partial

from tunesmith.core.text import language
from tunesmith.eval.page import confusion, curves, diagnosis, ledger, scores
from tunesmith.eval.report import Report
from tunesmith.pages.template import fill
from tunesmith.pages.words import Speaker


def render(report: Report, lang: str) -> str:
    """The whole page in `zh` or `en`, as HTML in one string that UTF-8 can write."""
    say = Speaker("eval", language(lang))
    return fill(
        "tunesmith.eval",
        "report.html",
        say,
        report=report,
        lead=scores.lead(report, say),
        tiles=scores.tiles(report, say),
        signed=scores.signed,
        chance=scores.chance,
        rule=partial(scores.rule, say=say),
        verdict=partial(scores.verdict, directions=report.directions, say=say),
        figures=curves.figures(report, say),
        matrix=confusion.matrix(report, say),
        classes=confusion.ranked(report),
        shown=confusion.MAX_TABLE,
        groups=diagnosis.groups(report, say),
        where=partial(diagnosis.where, say=say),
        reach=diagnosis.reach(report),
        reliability=list(diagnosis.figures(report, say)),
        ledger=ledger.shares(report, say),
        ledger_bar=ledger.picture(report, say),
    )
