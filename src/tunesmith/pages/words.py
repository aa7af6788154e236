"""Numbers and sentences of a page, in one language."""

from __future__ import annotations

import math

from markupsafe import Markup, escape

from tunesmith.core import text
from tunesmith.pages import svg

_TAGS = {"zh": "zh-CN", "en": "en"}


def number(value: float | None) -> str:
    """A score as text: three decimals for shares and the like, two for anything larger."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.3f}" if abs(value) < 2 else f"{value:,.2f}"


def small(value: float) -> str:
    """A value of an axis in three digits."""
    return svg.tiny(value) if 0 < abs(value) < 1e-3 else f"{value:.3g}"


def percent(share: float) -> str:
    """A share as a percentage; what is not quite everything never reads 100 %, nor a little 0 %."""
    if 0 < share < 0.0005:
        return "< 0.1 %"
    return "> 99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"


def breakable(name: str) -> Markup:
    """A name that may go on in the next line after `_`, `/` or `-`."""
    safe = str(escape(name))
    for mark in "_/-":
        safe = safe.replace(mark, f"{mark}<wbr>")
    return Markup(safe)  # noqa: S704 - escaped above


class Speaker:
    """Sentences of one area of the messages, in one language."""

    def __init__(self, area: str, lang: str) -> None:
        self.area = area
        self.lang = lang
        self.tag = _TAGS[lang]
        # Chinese sentences follow each other without a space.
        self.gap = "" if lang == "zh" else " "

    def __call__(self, key: str, **values: object) -> str:
        """The sentence `key` with its values."""
        return text.say(f"{self.area}.{key}", self.lang, **values)

    def name(self, kind: str, name: str) -> str:
        """What a metric, part, task or reason is called; its own name if we have no word for it."""
        key = f"{kind}_{name}"
        return self(key) if key in text.table(self.area) else name
