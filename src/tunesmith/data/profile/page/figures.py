"""The charts of a profile: lengths with the context, rows of labels, shares of languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from tunesmith.pages import svg
from tunesmith.pages.words import Speaker, percent

_MOST_LANGUAGES = 6
_MOST_RANKS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart with its title and what must be said below it."""

    title: str
    picture: Markup
    notes: tuple[str, ...] = ()
    wide: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a bar: colour class, name, count, share."""

    kind: str
    name: str
    count: int
    share: float


def lengths(profile: Mapping[str, Any], say: Speaker) -> list[Figure]:
    """How long rows are: in tokens, with the context, when they were counted; in characters."""
    measured = profile["lengths"]
    found = []
    if (tokens := measured.get("tokens")) and tokens["histogram"]:
        title = say("tokens_of", model=tokens["model"])
        found.append(_histogram(title, tokens, say, context=tokens["context"]))
    if measured["characters"]["histogram"]:
        found.append(_histogram(say("characters_of"), measured["characters"], say, wide=not found))
    return found


def _histogram(
    title: str, measured: Mapping[str, Any], say: Speaker, *, context: int | None = None, wide: bool = False
) -> Figure:
    bins = svg.Bins(**measured["histogram"])
    picture = svg.histogram(
        title,
        _described(measured, say),
        bins,
        x_name="",
        y_name=say("rows"),
        limit=context,
        limit_name=say("context", context=f"{context:,}") if context else "",
        wide=wide,
    )
    return Figure(title=title, picture=picture, notes=_notes(measured, bins, say, context), wide=wide)


def _described(measured: Mapping[str, Any], say: Speaker) -> str:
    at = measured["quantiles"]
    values = {"median": at["0.5"], "most": at["0.95"], "largest": at["1"], "count": measured["count"]}
    return say("histogram_desc", **{name: f"{value:,}" for name, value in values.items()})


def _notes(measured: Mapping[str, Any], bins: svg.Bins, say: Speaker, context: int | None) -> tuple[str, ...]:
    notes = []
    if context is not None and measured["truncated"]:
        share = percent(measured["truncated_share"])
        notes.append(say("truncated", count=f"{measured['truncated']:,}", share=share))
    elif context is not None and not svg.shows(bins, context):
        notes.append(say("context_far", context=f"{context:,}"))
    if bins.beyond:
        notes.append(say("longer_still"))
    return tuple(notes)


def label_ranks(labels: Mapping[str, Any], say: Speaker) -> Markup:
    """A column for each label, so that one sees how even they are."""
    values = labels["values"]
    tips = [(f"{entry['label']}: {entry['rows']:,}", entry["rows"]) for entry in values[:_MOST_RANKS]]
    description = say(
        "labels_desc",
        most=values[0]["label"], most_rows=f"{values[0]['rows']:,}",
        least=values[-1]["label"], least_rows=f"{values[-1]['rows']:,}",
    )  # fmt: skip
    return svg.ranks(say("labels"), description, tips)


def languages(profile: Mapping[str, Any], say: Speaker) -> tuple[Part, ...]:
    """The most frequent languages and the rest as one."""
    counts: Mapping[str, int] = profile["languages"]["counts"]
    total = max(1, sum(counts.values()))
    ranked = [(say.name("language", code), rows) for code, rows in counts.items()]
    shown = ranked[:_MOST_LANGUAGES]
    if rest := sum(rows for _, rows in ranked[_MOST_LANGUAGES:]):
        shown.append((say("language_others"), rest))
    return _parts(shown, total)


def shares(counts: Mapping[str, int], say: Speaker, kind: str) -> tuple[Part, ...]:
    """Counts by name as parts of a bar."""
    named = [(say.name(kind, name), count) for name, count in counts.items()]
    return _parts(named, max(1, sum(counts.values())))


def _parts(named: Sequence[tuple[str, int]], total: int) -> tuple[Part, ...]:
    return tuple(
        Part(kind=f"part{i % 7}", name=name, count=count, share=count / total)
        for i, (name, count) in enumerate(named)
        if count
    )


def stacked(title: str, parts: Sequence[Part]) -> Markup:
    """Parts as one bar."""
    tips = [f"{part.name}: {part.count:,} ({percent(part.share)})" for part in parts]
    drawn = [(part.kind, tip, part.share) for part, tip in zip(parts, tips, strict=True)]
    return svg.stack(title, "; ".join(tips), drawn)
