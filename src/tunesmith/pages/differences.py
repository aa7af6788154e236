"""Two texts side by side, with what differs marked and long stretches of the same left out.

Words are compared, and characters where a script has no spaces; texts of very many words only at their start.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from markupsafe import Markup

from tunesmith.pages.svg import join

_CJK = r"\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\uac00-\ud7af"
_PIECE = re.compile(rf"[{_CJK}]|[^\W{_CJK}]+|\s+|[^\w\s]")
_COMPARED = 800
# Of a longer stretch that both have, this many pieces stay at each end.
_AROUND = 24
# And of texts that are the same, this many.
_SAME = 120


def marked(first: str, second: str) -> tuple[Markup, Markup]:
    """Both texts as markup: what only one has stands in `<mark>`."""
    one, other = _PIECE.findall(first)[:_COMPARED], _PIECE.findall(second)[:_COMPARED]
    steps = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    last = len(steps) - 1
    left, right = [], []
    for i, (kind, a, b, c, d) in enumerate(steps):
        if kind == "equal":
            shared = _shared(one[a:b], is_first=i == 0, is_last=i == last)
            left.append(shared)
            right.append(shared)
        else:
            left.append(_marked(one[a:b]))
            right.append(_marked(other[c:d]))
    return join(left), join(right)


def _marked(pieces: Sequence[str]) -> Markup:
    return Markup("<mark>{}</mark>").format("".join(pieces)) if pieces else Markup("")


def _shared(pieces: Sequence[str], *, is_first: bool, is_last: bool) -> Markup:
    return Markup("").join(_cut(pieces, is_first=is_first, is_last=is_last))


def _cut(pieces: Sequence[str], *, is_first: bool, is_last: bool) -> Iterator[Markup]:
    """The pieces next to a difference, and an ellipsis for the rest."""
    before = 0 if is_first else _AROUND
    after = 0 if is_last else _AROUND
    if len(pieces) <= before + after + _AROUND:
        yield Markup("{}").format("".join(pieces))
        return
    if is_first and is_last:
        yield Markup("{}{}").format("".join(pieces[:_SAME]), " …" if len(pieces) > _SAME else "")
        return
    yield Markup("{}").format("".join(pieces[:before]))
    yield Markup(' <span class="quiet">…</span> ')
    yield Markup("{}").format("".join(pieces[len(pieces) - after :]))
