"""Entities found in texts: metrics, a table by label, examples, and what a dictionary would find."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from tunesmith.core.errors import DataError
from tunesmith.eval.classes import ClassScore, clip
from tunesmith.eval.outcome import Entity, EntityOutcome, Outcome
from tunesmith.eval.sums import Numbers, Sums, divided, ratio, summed
from tunesmith.language.units import units
from tunesmith.models import bio

Words = tuple[str, ...]


@summed
def entity_f1(outcome: Outcome) -> Sums:
    """F1 over all entities, which must agree in beginning, end and label; from 0 to 1.

    It is what `seqeval` gives for BIO tags, micro-averaged (Tjong Kim Sang and De Meulder 2003).

    Raises:
        DataError: T21 when the outcome has no entities; E03 when it has no rows.
    """
    found = tagged(outcome, "entity_f1")
    sides = [(set(wanted), set(given)) for wanted, given in zip(found.targets, found.predicted, strict=True)]
    right = [2 * len(wanted & given) for wanted, given in sides]
    return ratio(right, [len(wanted) + len(given) for wanted, given in sides])


@summed
def entity_overlap_f1(outcome: Outcome) -> Sums:
    """F1 over all entities, for which it is enough that one of the same label has a character in common.

    It tells entities whose ends are wrong from those that were not seen (Tsai et al. 2006).

    Raises:
        DataError: T21 when the outcome has no entities; E03 when it has no rows.
    """
    found = tagged(outcome, "entity_overlap_f1")
    sides = [(set(wanted), set(given)) for wanted, given in zip(found.targets, found.predicted, strict=True)]
    counts = [(*_touched(given, wanted), *_touched(wanted, given)) for wanted, given in sides]

    def total(sums: Numbers) -> Numbers:
        precision, recall = divided(sums[..., 0], sums[..., 1]), divided(sums[..., 2], sums[..., 3])
        return divided(2 * precision * recall, precision + recall)

    return Sums(np.array(counts, dtype=np.float64), total)


def _touched(entities: set[Entity], others: set[Entity]) -> tuple[int, int]:
    """How many of the entities overlap another one of their label, and how many there are."""
    touched = sum(
        any(label == kind and start < last and first < end for first, last, kind in others)
        for start, end, label in entities
    )
    return touched, len(entities)


@summed
def token_accuracy(outcome: Outcome) -> Sums:
    """Share of tokens with the right BIO tag, from 0 to 1; most are outside of all entities.

    Raises:
        DataError: T21 when the outcome has no entities; E03 when it has no rows.
    """
    found = tagged(outcome, "token_accuracy")
    labels = found.labels
    right: list[int] = []
    for tokens, wanted, given in zip(found.tokens, found.targets, found.predicted, strict=True):
        one, other = (bio.encode(entities, tokens, labels) for entities in (wanted, given))
        right.append(int((one == other).sum()))
    return ratio(right, [len(tokens) for tokens in found.tokens])


def tagged(outcome: Outcome, metric: str) -> EntityOutcome:
    """The outcome, if it is one of entities and has rows.

    Raises:
        DataError: T21 when it has no entities; E03 when it has no rows.
    """
    if not isinstance(outcome, EntityOutcome):
        raise DataError("T21", metric=metric)
    if not len(outcome.rows):
        raise DataError("E03", metric=metric)
    return outcome


def per_label(outcome: EntityOutcome) -> tuple[ClassScore, ...]:
    """Precision, recall, F1 and number of entities of every label."""
    return tuple(_score(label, *_counts(outcome, label.__eq__)) for label in outcome.labels)


def _counts(outcome: EntityOutcome, counts: Callable[[str], bool]) -> tuple[int, int, int]:
    """How many entities are right, how many were found, how many there are."""
    right = found = there = 0
    for wanted, given in zip(outcome.targets, outcome.predicted, strict=True):
        one, other = ({entity for entity in side if counts(entity[2])} for side in (wanted, given))
        right, found, there = right + len(one & other), found + len(other), there + len(one)
    return right, found, there


def _score(label: str, right: int, found: int, there: int) -> ClassScore:
    return ClassScore(
        label=label,
        precision=right / max(1, found),
        recall=right / max(1, there),
        f1=2 * right / max(1, found + there),
        support=there,
    )


def examples(outcome: EntityOutcome, count: int = 5) -> list[dict[str, str]]:
    """The first rows that have entities: the text, what was found in it and what stands in the data."""
    rows = zip(outcome.texts, outcome.targets, outcome.predicted, strict=True)
    shown = [(text, wanted, given) for text, wanted, given in rows if wanted or given][:count]
    return [
        {"prompt": clip(text), "answer": told(text, given), "expected": told(text, wanted)}
        for text, wanted, given in shown
    ]


def told(text: str, entities: Sequence[Entity]) -> str:
    """Entities with their labels, in words."""
    return "; ".join(f"{text[start:end]} ({label})" for start, end, label in entities) or "-"


def dictionary(
    texts: Sequence[str], entities: Sequence[Sequence[Entity]], beside: EntityOutcome
) -> EntityOutcome:
    """Find the entities of the training texts again, the longest first (the baseline of CoNLL 2003).

    Each has its most frequent label; what was no entity in most of its places is left out.
    """
    labels: dict[Words, Counter[str]] = defaultdict(Counter)
    for text, row in zip(texts, entities, strict=True):
        for start, end, label in row:
            labels[tuple(_words(text[start:end]))][label] += 1
    lengths = sorted({len(words) for words in labels}, reverse=True)
    places = Counter(run for text in texts for _, run in _runs(_words(text), lengths) if run in labels)
    usual = {
        words: counts.most_common(1)[0][0]
        for words, counts in labels.items()
        if 2 * counts.total() > places[words]
    }
    return replace(beside, predicted=[_looked_up(text, usual, lengths) for text in beside.texts])


def _words(text: str) -> list[str]:
    return [text[start:end] for start, end in units(text)]


def _runs(words: Sequence[str], lengths: Sequence[int]) -> Iterator[tuple[int, Words]]:
    """All runs of so many words with where they begin: from left to right, in the order of the lengths."""
    for first in range(len(words)):
        for length in lengths:
            if first + length <= len(words):
                yield first, tuple(words[first : first + length])


def _looked_up(text: str, usual: Mapping[Words, str], lengths: Sequence[int]) -> list[Entity]:
    places, found, after = units(text), [], 0
    for first, run in _runs(_words(text), lengths):
        if first >= after and run in usual:
            after = first + len(run)
            found.append((places[first][0], places[after - 1][1], usual[run]))
    return found
