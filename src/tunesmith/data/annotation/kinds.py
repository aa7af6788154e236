"""The kinds of labelling: what is shown of a row, what is answered, and the shape of both together.

kind         content                 answer
class        text                    {"label": name}
multilabel   text                    {"labels": [name, ...]}
spans        text                    {"spans": [{"start", "end", "label"}, ...]}
answer       question, text          {"answers": [{"start", "text"}, ...]}, none when there is no answer
preference   prompt, a, b            {"choice": "a", "b" or "tie"}
rating       text                    {"rating": 1 ... the project's scale}
correction   text, perhaps source    {"text": what it should be}
"""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.data import shapes

CLASS, MULTILABEL, SPANS, ANSWER = "class", "multilabel", "spans", "answer"
PREFERENCE, RATING, CORRECTION = "preference", "rating", "correction"

SHAPES: Mapping[str, str] = {
    CLASS: shapes.LABELLED,
    MULTILABEL: shapes.MULTILABELLED,
    SPANS: shapes.TAGGED,
    ANSWER: shapes.ANSWERED,
    PREFERENCE: shapes.PREFERRED,
    RATING: shapes.SCORED,
    CORRECTION: shapes.PAIRED,
}
"""The shape of labelled rows, by kind."""

KINDS = tuple(SHAPES)

LABELLED = (CLASS, MULTILABEL, SPANS)
"""The kinds that need a set of labels."""

LEARNED = (CLASS, MULTILABEL)
"""The kinds from whose labels a small model learns while people label."""

GUESSED: Mapping[str, str] = {shape: kind for kind, shape in SHAPES.items()} | {
    shapes.TEXT: CLASS,
    shapes.MESSAGES: CORRECTION,
    shapes.RATED: RATING,
    shapes.CONTRASTED: RATING,
    shapes.COMPARED: RATING,
}
"""What rows of a shape are probably labelled with."""

TIE = "tie"
CHOICES = ("a", "b", TIE)

_DIGITS = "1234567890"
# Without what the page and the terminal use for something else: b, h, s, z.
_LETTERS = "qwertyuiopadfgjklxcvnm"
KEYS = _DIGITS + _LETTERS
"""The keys that labels are given, in this order."""
