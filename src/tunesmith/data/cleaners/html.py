"""HTML out of text columns, with care for text that only looks like HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import polars as pl

from tunesmith.data.clean import Cleaned, change_texts
from tunesmith.data.texts import on_suspects, one_by_one, settled

_SUSPECT = r"<[/!?a-zA-Z]|&#?[0-9A-Za-z]+;"
CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
"""Code between backticks, to split a text by: every second part is code."""
# An ampersand that opens no entity: kept from the parser, which would decode `&copy=1` of an address.
_BARE = re.compile(r"&(?!#?[0-9A-Za-z]+;)")
# What opens something, and what closes it. Where nothing closes it any more it is text: the parser would look
# for the end from each of them. Of sections it knows these, and gives up at any other.
_PAIRS = (
    (re.compile(r"<(?=!--)"), re.compile(r"--\s*>")),
    (re.compile(r"<(?=!\[)"), re.compile(r"\]\s*>")),
    (re.compile(r"<(?=[/?!A-Za-z])"), re.compile(r">")),
)
_NO_SECTION = re.compile(
    r"<(?=!\[(?!(?:temp|cdata|ignore|include|rcdata|if|else|endif)(?![-.\w])))", re.IGNORECASE
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BLOCK = _words(
    "address article aside blockquote body br dd details div dl dt fieldset figcaption figure footer form "
    "h1 h2 h3 h4 h5 h6 head header hr html li main nav ol p pre section summary table tbody td tfoot th "
    "thead title tr ul"
)
_INLINE = _words(
    "a abbr audio b base bdi bdo big button canvas caption center cite code col colgroup data datalist del "
    "dfn dialog em embed font i iframe img input ins kbd label legend link map mark meta meter noscript "
    "object optgroup option output param picture progress q rp rt ruby s samp select small source span "
    "strike strong sub sup svg template textarea time track tt u var video wbr"
)
_SILENT = frozenset(("script", "style"))
_TAGS = _BLOCK | _INLINE | _SILENT
_FLAGS = _words(
    "allowfullscreen async autofocus autoplay checked controls default defer disabled hidden loop multiple "
    "muted noshade nowrap open readonly required reversed selected"
)


class _Stripper(HTMLParser):
    """Collects the text between tags; blocks end lines; what is no HTML tag is text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not _is_tag(tag, attrs):
            self.handle_data(self.get_starttag_text() or "")
        elif tag in _SILENT:
            self._silent += 1
        elif tag in _BLOCK:
            self.parts.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not _is_tag(tag, attrs):
            self.handle_data(self.get_starttag_text() or "")
        elif tag in _BLOCK:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _BLOCK:
            self.parts.append("\n")
        elif tag not in _TAGS:
            self.handle_data(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def _is_tag(tag: str, attrs: list[tuple[str, str | None]]) -> bool:
    return tag in _TAGS and all(value is not None or name in _FLAGS for name, value in attrs)


def strip_html(frame: pl.DataFrame) -> Cleaned:
    """Tags, comments, scripts and styles removed, entities decoded.

    What is no HTML tag (`a < b`, `List<String>`) and code between backticks stays. HTML within entities is
    removed as well.
    """
    return change_texts(frame, stripped)


def stripped(texts: pl.Series) -> pl.Series:
    """What `strip_html` makes of texts. Doing it twice changes nothing."""
    return on_suspects(texts, _SUSPECT, lambda found: settled(found, one_by_one(strip)))


def strip(text: str) -> str:
    """The text of one HTML fragment; code between backticks is left alone."""
    parts = CODE.split(text)
    return _tidy("".join(part if i % 2 else _strip(part) for i, part in enumerate(parts)))


def _strip(fragment: str) -> str:
    parser = _Stripper()
    parser.feed(_BARE.sub("&amp;", _closed(fragment)))
    parser.close()
    return "".join(parser.parts)


def _closed(fragment: str) -> str:
    """The fragment with an entity for each `<` that can open nothing."""
    fragment = _NO_SECTION.sub("&lt;", fragment)
    for opens, closes in _PAIRS:
        end = max((match.end() for match in closes.finditer(fragment)), default=0)
        fragment = fragment[:end] + opens.sub("&lt;", fragment[end:])
    return fragment


def _tidy(text: str) -> str:
    """Without the empty lines that block tags left."""
    return re.sub(r"[ \t]*\n(?:[ \t\xa0]*\n)+", "\n", text).strip()
