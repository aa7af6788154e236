"""The report as one page for people: it loads nothing, runs nothing, and treats all it shows as text."""

from __future__ import annotations

from functools import cache, partial

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from tunesmith.core.text import language
from tunesmith.eval import svg
from tunesmith.eval.page import confusion, curves, ledger, scores, words
from tunesmith.eval.report import Report

_TAGS = {"zh": "zh-CN", "en": "en"}


def render(report: Report, lang: str) -> str:
    """The whole page in `zh` or `en`, as HTML in one string that UTF-8 can write."""
    say = words.Speaker(language(lang))
    page = (
        _environment()
        .get_template("report.html")
        .render(
            report=report,
            say=say,
            tag=_TAGS[say.lang],
            bar=svg.bar,
            number=words.number,
            percent=words.percent,
            breakable=words.breakable,
            lead=scores.lead(report, say),
            tiles=scores.tiles(report, say),
            rule=partial(scores.rule, say=say),
            figures=curves.figures(report, say),
            matrix=confusion.matrix(report, say),
            classes=confusion.ranked(report),
            shown=confusion.MAX_TABLE,
            ledger=ledger.shares(report, say),
            ledger_bar=ledger.picture(report, say),
        )
    )
    # A lone surrogate in somebody's text must not keep the report from being written.
    return page.encode("utf-8", "replace").decode("utf-8")


@cache
def _environment() -> Environment:
    return SandboxedEnvironment(
        loader=PackageLoader("tunesmith.eval", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
