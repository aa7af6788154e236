"""Rows of tokens and tags: lists in JSON and Parquet, and the columns of CoNLL files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tunesmith.core.errors import DataError
from tunesmith.data import shapes
from tunesmith.data.layouts import tags
from tunesmith.data.layouts.layout import Mapped, RefusedError, Row, RowLayout, Sample, UnfitError

_TOKENS = ("tokens", "words", "token", "sentence", "text", "词", "字")
_TAGS = ("tags", "ner_tags", "labels", "ner", "pos_tags", "slots", "label", "标签")


class TokenTags(RowLayout):
    """{"tokens": [...], "tags": [...]}; tags are names, or numbers of names that `tag_names` gives."""

    name: ClassVar[str] = "token_tags"
    is_written: ClassVar[bool] = True
    shape: ClassVar[str] = shapes.TAGGED
    fields: ClassVar[tuple[str, ...]] = ("tokens", "tags", "tag_names")
    ends: ClassVar[bool] = False

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """Two columns with lists of the same length.

        Raises:
            DataError: D55 when tags are numbers and nothing says what they stand for.
        """
        words = fields.get("tokens") or _list(sample, _TOKENS, (str,))
        if not words:
            return []
        named = fields.get("tags") or _list(sample, _TAGS, (str, int), beside=words)
        if not named:
            return []
        text = sample.named("text")
        beside = {"text": text} if text and sample.all_are(text, lambda cell: isinstance(cell, str)) else {}
        found = {"tokens": words, "tags": named, **beside, **_names(fields)}
        if "tag_names" not in found and any(
            isinstance(tag, int) for cell in sample.cells(named) if isinstance(cell, list) for tag in cell
        ):
            raise DataError("D55", file=sample.table.path, line=1, column=named)
        return [found]

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Every row."""
        return True

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """Text, spans and tokens."""
        words, given = row[mapping["tokens"]], row[mapping["tags"]]
        if not isinstance(words, list) or not isinstance(given, list) or len(words) != len(given):
            raise RefusedError("bad_tags")
        if not words:
            raise RefusedError("empty_text")
        if not all(isinstance(word, str) and word.strip() for word in words):
            raise RefusedError("bad_tags")
        text, places = _placed(words, row[mapping["text"]] if "text" in mapping else None)
        spans = tags.decode([_tag(tag, mapping) for tag in given])
        return text, [_span(span, places) for span in spans], places

    def write(self, row: Row) -> Row:
        """Tokens and BIO tags; a text without tokens is divided into words and Chinese characters."""
        tokens = row["tokens"]
        if tokens is None:
            tokens = tags.tokens_of(row["text"], row["spans"])
        coded = tags.encode(tags.in_tokens(row["spans"], tokens), len(tokens), ends=self.ends)
        words = [row["text"][t["start"] : t["end"]] for t in tokens]
        same = tags.join(words)[0] == row["text"]
        return {"tokens": words, "tags": coded, **({} if same else {"text": row["text"]})}


class Conll(TokenTags):
    """The same in a file with a token and its tag on a line, and blank lines between rows."""

    name: ClassVar[str] = "conll"
    is_written: ClassVar[bool] = True

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """What a reader of such files made of them."""
        return super().find(sample, fields) if sample.table.format == "conll" else []

    def write(self, row: Row) -> Row:
        """Tokens and tags without white space in them."""
        written = super().write(row)
        if any(len(word.split()) != 1 for word in (*written["tokens"], *written["tags"])):
            raise UnfitError("space_in_token")
        return written


class Bioes(Conll):
    """CoNLL with BIOES tags."""

    name: ClassVar[str] = "bioes"
    ends: ClassVar[bool] = True

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """Nothing: whatever the tags are, it is `conll` that reads them."""
        return []


def _list(
    sample: Sample, wanted: Sequence[str], kinds: tuple[type, ...], beside: str | None = None
) -> str | None:
    """A column of a usual name whose cells are all lists of these kinds, as long as those of `beside`."""
    for name in wanted:
        column = sample.named(name)
        if (
            column is None
            or column == beside
            or not sample.all_are(column, lambda cell: isinstance(cell, list))
        ):
            continue
        cells = sample.cells(column)
        if not any(cells) or not all(isinstance(item, kinds) for cell in cells for item in cell):
            continue
        others = sample.cells(beside) if beside else cells
        if len(others) == len(cells) and any(len(a) == len(b) for a, b in zip(cells, others, strict=True)):
            return column
    return None


def _placed(words: list[str], text: Any) -> tuple[str, list[Row]]:
    """The text the words were cut from, if it is given and holds them all; else they are joined."""
    places = tags.place(words, text) if isinstance(text, str) else None
    return tags.join(words) if places is None else (text, places)


def _names(fields: Mapped) -> dict[str, str]:
    return {"tag_names": fields["tag_names"]} if "tag_names" in fields else {}


def _tag(tag: Any, mapping: Mapped) -> str:
    if isinstance(tag, int) and "tag_names" in mapping:
        known = [name.strip() for name in mapping["tag_names"].split(",")]
        if 0 <= tag < len(known):
            return known[tag]
    if not isinstance(tag, str):
        raise RefusedError("bad_tags")
    return tag


def _span(span: tuple[int, int, str], places: Sequence[Row]) -> Row:
    first, end, label = span
    return {"start": places[first]["start"], "end": places[end - 1]["end"], "label": label}
