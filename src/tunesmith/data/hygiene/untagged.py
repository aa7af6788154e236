"""Names that are tagged nearly everywhere, and where they are not."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from tunesmith.data.hygiene.issue import Issue
from tunesmith.data.hygiene.tags import habits, spans_of

# A name left untagged more often than this is a word with another meaning.
_MOSTLY = 0.75
_SHORTEST = 2


def untagged(frame: pl.DataFrame) -> list[Issue]:
    """`tag_untagged` issues of a frame in the shape `tagged`, with `_row` numbers.

    Only whole words count: what stands between the boundaries of tokens where the data have tokens, else
    what has no letter of the same word beside it.
    """
    spans = spans_of(frame)
    names = habits(spans).filter(pl.col("surface").str.len_chars() >= _SHORTEST)
    if names.is_empty():
        return []
    found = pl.DataFrame(
        list(_outside(frame, names["surface"])),
        schema={"_row": pl.Int64, "start": pl.Int64, "surface": pl.String},
        orient="row",
    )
    missed = found.with_columns(missed=pl.len().over("surface"))
    shares = missed.join(names, on="surface", maintain_order="left").with_columns(
        share=pl.col("count") / (pl.col("total") + pl.col("missed"))
    )
    return [
        Issue(
            row=row,
            kind="tag_untagged",
            score=share,
            given=surface,
            suggested=usual,
            detail={"start": start, "end": start + len(surface), "count": count, "total": total + missed},
        )
        for row, start, surface, missed, usual, count, total, share in shares.iter_rows()
        if share >= _MOSTLY
    ]


def _outside(frame: pl.DataFrame, names: pl.Series) -> Iterator[tuple[int, int, str]]:
    """Row, start and name of every place where one of the names stands as a whole word outside all spans."""
    patterns = names.to_list()
    hits = frame.select(
        "_row",
        "text",
        "spans",
        "tokens",
        at=pl.col("text").str.find_many(patterns, leftmost=True),
        name=pl.col("text").str.extract_many(patterns, leftmost=True),
    ).filter(pl.col("at").list.len() > 0)
    for row, text, spans, tokens, places, found in hits.iter_rows():
        data = text.encode()
        taken = [(span["start"], span["end"]) for span in spans or ()]
        for place, name in zip(places, found, strict=True):
            # polars counts bytes.
            start = len(data[:place].decode())
            end = start + len(name)
            if _is_free(start, end, taken) and _is_whole(text, start, end, tokens):
                yield row, start, name


def _is_free(start: int, end: int, taken: list[tuple[int, int]]) -> bool:
    return all(end <= first or start >= last for first, last in taken)


def _is_whole(text: str, start: int, end: int, tokens: list[dict[str, int]] | None) -> bool:
    if tokens is not None:
        return any(t["start"] == start for t in tokens) and any(t["end"] == end for t in tokens)
    return not (_is_joined(text, start) or _is_joined(text, end))


def _is_joined(text: str, at: int) -> bool:
    """Whether the characters before and at a place belong to one word, as far as spaces divide words."""
    if not 0 < at < len(text):
        return False
    return all(c.isalnum() and not "\u2e80" <= c <= "\u9fff" for c in (text[at - 1], text[at]))
