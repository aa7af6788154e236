"""What a model knew before it was fine-tuned and does not know any more, by a small fixed set of probes.

Knows answers to probes, not models; the probes are in `probes.toml`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

Items = Sequence[Any]
LOST = 12
"""Lost items that a report names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a model made of the probes: `right` by kind and language, and `bits` per character of texts."""

    right: Mapping[str, Mapping[str, Sequence[bool]]]
    bits: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Items of one kind and language: the share that was right, before and after."""

    kind: str
    lang: str
    items: int
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Surprise:
    """Bits for each character of texts in a language, before and after; less is better."""

    lang: str
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgetting:
    """What fine-tuning cost: `share` of the items that were right before are wrong after.

    `lost` are the first of those items, in words.
    """

    known: int
    forgotten: int
    share: float
    probes: tuple[Probe, ...]
    surprises: tuple[Surprise, ...] = ()
    lost: tuple[str, ...] = ()


@cache
def probes() -> Mapping[str, Mapping[str, Items]]:
    """The items by kind and language."""
    content = tomllib.loads(files("tunesmith.eval").joinpath("probes.toml").read_text("utf-8"))
    return {kind: {part["lang"]: part["items"] for part in parts} for kind, parts in content.items()}


def compare(before: Answers, after: Answers) -> Forgetting:
    """Hold the answers after fine-tuning to those before."""
    parts = [(kind, lang) for kind, langs in before.right.items() for lang in langs]
    pairs = {
        (k, lang): list(zip(before.right[k][lang], after.right[k][lang], strict=True)) for k, lang in parts
    }
    lost = [
        _told(probes()[kind][lang][place])
        for (kind, lang), both in pairs.items()
        for place, (was, now) in enumerate(both)
        if was and not now
    ]
    known = sum(was for both in pairs.values() for was, _ in both)
    return Forgetting(
        known=known,
        forgotten=len(lost),
        share=len(lost) / max(1, known),
        probes=tuple(_probe(kind, lang, both) for (kind, lang), both in pairs.items()),
        surprises=tuple(
            Surprise(lang=lang, before=bits, after=after.bits[lang]) for lang, bits in before.bits.items()
        ),
        lost=tuple(lost[:LOST]),
    )


def _probe(kind: str, lang: str, both: Sequence[tuple[bool, bool]]) -> Probe:
    was, now = (sum(side) / len(both) for side in zip(*both, strict=True))
    return Probe(kind=kind, lang=lang, items=len(both), before=was, after=now)


def _told(item: Sequence[str]) -> str:
    """An item in words: a continuation with the text before it, or two texts that mean the same."""
    first, right, _ = item
    return f"{first}{right}" if len(right) < 12 else f"{first} ≈ {right}"
