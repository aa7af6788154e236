"""A profile: what is measured while rows go by, put together into one dictionary that JSON can hold.

Memory does not grow with texts: of a row are kept its number, lengths, split and label (about 25 bytes),
and 2,000 rows as a sample. Rows are named by their numbers and looked up at the end, all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl

from tunesmith.core.plain import plain
from tunesmith.data.layouts.frames import schema
from tunesmith.data.profile import card, quality, repeats
from tunesmith.data.profile.columns import Columns
from tunesmith.data.profile.entities import Entities
from tunesmith.data.profile.findings import findings
from tunesmith.data.profile.given import Find, Found, Tokens
from tunesmith.data.profile.labels import Labels
from tunesmith.data.profile.lengths import Lengths, described, quantiles, truncation
from tunesmith.data.profile.pairs import Answers, Pairs, Preferences
from tunesmith.data.profile.sample import Sample
from tunesmith.data.profile.showing import attach, issues_of
from tunesmith.data.profile.talks import Talks
from tunesmith.data.profile.texts import fields, seen
from tunesmith.data.table import RawTable

FORMAT = 1
"""The version of the dictionary's structure."""

_LONGEST = 5
_LOOK = 6


class Profile:
    """Measures rows that go by in batches: `add` mapped ones, `add_raw` the raw ones, then `result`."""

    def __init__(self, shape: str, *, tokens: Tokens | None = None, seed: int = 0) -> None:
        self.shape = shape
        self._tokens = tokens
        self._seed = seed
        self._columns = Columns()
        self._sample = Sample({"_row": pl.Int64(), **schema(shape)}, seed=seed)
        self._parts = repeats.Parts()
        self._characters, self._counted = Lengths(), Lengths()
        self._fields: dict[str, Lengths] = {}
        self._effects, self._damage = quality.Effects(), quality.Damage()
        self._special = {name: kind() for name, (kind, needed) in _SPECIAL.items() if shape in needed}

    def add_raw(self, table: RawTable) -> None:
        """Take a batch of rows as they were read."""
        self._columns.add(table)

    def add(self, frame: pl.DataFrame, split: str = "all") -> None:
        """Take a batch of usable rows of one split: the columns of the shape and `_row`."""
        if frame.is_empty():
            return
        labels = frame["label"].to_list() if "label" in frame.columns else []
        self._parts.add(frame["_row"].to_numpy(), split, labels)
        self._sample.add(frame)
        self._effects.add(frame)
        self._damage.add(frame)
        for special in self._special.values():
            special.add(frame, split)
        self._measure_lengths(frame)

    def _measure_lengths(self, frame: pl.DataFrame) -> None:
        texts = seen(frame).fill_null("")
        self._characters.add(texts.str.len_chars().to_numpy())
        for name, values in fields(frame).items():
            lengths = values.str.len_chars().fill_null(0).to_numpy()
            self._fields.setdefault(name, Lengths()).add(lengths)
        if self._tokens is not None:
            self._counted.add(self._tokens.count(texts.to_list()))

    def result(
        self, files: Sequence[card.File], find: Find, found: Found | None = None, *, command: str = ""
    ) -> dict[str, Any]:
        """Everything measured; `command` is what made the data, for its card."""
        found = found or Found()
        sample = self._sample.frame()
        described_files = [file.described() for file in files]
        first = described_files[0] if described_files else {}
        profile: dict[str, Any] = {
            "profile": FORMAT,
            "rows": len(self._parts.rows()),
            "columns": self._columns.result(),
            "encoding": first.get("encoding"),
            "format": first.get("format"),
            "mapping": first.get("mapping", {}),
            "files": described_files,
            "shape": self.shape,
            "splits": self._split_sizes(),
            "dropped": dict(found.dropped),
            "lengths": self._lengths(),
            **{name: self._special[name].result() if name in self._special else None for name in _SPECIAL},
            **self._repeats(found),
            **self._sampled(sample),
            "cleaners": self._effects.result(),
            "damaged": self._damage.result(),
            "issues": issues_of(found.issues),
            "told": [asdict(problem) for problem in found.problems],
        }
        profile["card"] = _card(profile, files, command)
        profile["problems"] = findings(profile)
        attach(profile, find)
        result: dict[str, Any] = plain(profile)
        return result

    def _split_sizes(self) -> dict[str, int]:
        counts = np.bincount(self._parts.splits(), minlength=len(self._parts.names)).tolist()
        return dict(zip(self._parts.names, counts, strict=True))

    def _lengths(self) -> dict[str, Any]:
        characters, splits = self._characters.values(), self._parts.splits()
        by_split = {
            name: quantiles(characters[splits == code]) for code, name in enumerate(self._parts.names)
        }
        measured: dict[str, Any] = {
            "characters": described(characters),
            "splits": by_split,
            "fields": {name: described(lengths.values()) for name, lengths in self._fields.items()},
        }
        if self._tokens is not None:
            tokens = self._counted.values()
            rows = self._parts.rows()
            longest = np.lexsort((rows, -tokens.astype(np.int64)))[:_LONGEST]
            measured["tokens"] = {
                "model": self._tokens.model,
                **described(tokens),
                **truncation(tokens, self._tokens.context),
                "longest": [{"row": int(rows[i]), "tokens": int(tokens[i])} for i in longest],
            }
        return measured

    def _repeats(self, found: Found) -> dict[str, Any]:
        if found.edges is None:
            return dict.fromkeys(("duplicates", "overlap", "contradictions"))
        splits, labels = self._parts.by_row()
        edges = repeats.known(found.edges, splits)
        return {
            "duplicates": repeats.within(edges, splits, labels, found.threshold),
            "overlap": repeats.across(edges, splits, self._parts.names),
            "contradictions": repeats.contradictions(edges, labels),
        }

    def _sampled(self, sample: pl.DataFrame) -> dict[str, Any]:
        rows, characters = self._parts.rows(), self._characters.values()
        odd = quality.odd_lengths(rows, characters)
        return {
            "sample": {"rows": sample.height, "is_all": sample.height == len(rows), "seed": self._seed},
            "languages": quality.languages(sample),
            "outliers": {**odd, "characters": quality.rare_characters(sample)},
            "examples": [{"row": row} for row in sample["_row"][:: max(1, sample.height // _LOOK)]][:_LOOK],
        }


# What is measured of some shapes only: the section, its accumulator, and the shapes it is for.
_SPECIAL: Mapping[str, tuple[Callable[[], Any], tuple[str, ...]]] = {
    "labels": (Labels, ("labelled", "multilabelled")),
    "talks": (Talks, ("messages", "rated")),
    "preferences": (Preferences, ("preferred",)),
    "entities": (Entities, ("tagged",)),
    "answers": (Answers, ("answered",)),
    "pairs": (Pairs, ("paired",)),
}


def measure(
    batches: Iterable[tuple[str, pl.DataFrame]],
    *,
    shape: str,
    files: Sequence[card.File],
    find: Find,
    raw: Iterable[RawTable] = (),
    found: Found | None = None,
    tokens: Tokens | None = None,
    command: str = "",
    seed: int = 0,
) -> dict[str, Any]:
    """The profile of rows given as (split, batch) in order, as one dictionary that JSON can hold."""
    profile = Profile(shape, tokens=tokens, seed=seed)
    for table in raw:
        profile.add_raw(table)
    for split, frame in batches:
        profile.add(frame, split)
    return profile.result(files, find, found, command=command)


def _card(profile: Mapping[str, Any], files: Sequence[card.File], command: str) -> dict[str, Any]:
    labels, overlap = profile["contradictions"], profile["overlap"]
    return {
        "name": ", ".join(dict.fromkeys(file.path.name for file in files)),
        "rows": profile["rows"],
        "licences": card.licences(files),
        "languages": profile["languages"]["main"],
        "hygiene": {
            "duplicates": (profile["duplicates"] or {}).get("rows", 0),
            "overlap": (overlap or {}).get("rows", 0),
            "contradictions": (labels or {}).get("rows", 0),
            "personal": profile["cleaners"]["mask_pii"]["changed"],
            "damaged": profile["damaged"]["rows"],
        },
        "command": command,
    }
