"""What a model must beat: always the most frequent label, and a linear model over TF-IDF."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from tunesmith.core.errors import RecipeError
from tunesmith.core.registry import suggestion
from tunesmith.eval.outcome import LabelOutcome, aligned

Baseline = Callable[[Sequence[str], Sequence[str], LabelOutcome], LabelOutcome]


def majority(texts: Sequence[str], labels: Sequence[str], beside: LabelOutcome) -> LabelOutcome:
    """Give every row of `beside` the most frequent of the training `labels`; ties go to the first label."""
    counts = Counter(labels)
    shares = np.array([counts[label] for label in beside.labels]) / max(1, len(labels))
    return beside.answered(np.tile(shares, (len(beside.targets), 1)))


def tfidf(texts: Sequence[str], labels: Sequence[str], beside: LabelOutcome) -> LabelOutcome:
    """Train the TF-IDF classifier on texts and labels and let it answer the rows of `beside`.

    Raises:
        DataError: E07 or E08 when the training rows cannot teach it.
    """
    from tunesmith.models.tfidf import fit

    model = fit(texts, labels, name="tfidf")
    return beside.answered(aligned(model.predict(beside.texts), model.labels, beside.labels))


BASELINES: Mapping[str, Baseline] = {"majority": majority, "tfidf": tfidf}


def run(
    names: Iterable[str], texts: Sequence[str], labels: Sequence[str], beside: LabelOutcome
) -> dict[str, LabelOutcome]:
    """What each named baseline, trained on texts and labels, does on the rows of `beside`.

    Raises:
        RecipeError: R06 when there is no such baseline.
        DataError: E07 or E08 when the training rows cannot teach it.
    """
    return {name: _get(name)(texts, labels, beside) for name in names}


def _get(name: str) -> Baseline:
    if name not in BASELINES:
        known = sorted(BASELINES)
        raise RecipeError("R06", noun="baseline", name=name, **suggestion(name, known))
    return BASELINES[name]
