"""What a model must beat: for labels the most frequent and a linear model, for texts a copy and a memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from tunesmith.core.errors import RecipeError
from tunesmith.core.registry import suggestion
from tunesmith.eval import retrieval
from tunesmith.eval.entities import dictionary
from tunesmith.eval.outcome import (
    LabelOutcome,
    LabelsOutcome,
    Outcome,
    PreferenceOutcome,
    RetrievalOutcome,
    ScoreOutcome,
    SimilarityOutcome,
    TextOutcome,
    aligned,
)
from tunesmith.eval.reading import nearest_sentence

Baseline = Callable[[Sequence[str], Sequence[Any], Any], Any]
Answered = TypeVar("Answered", bound=Outcome)
_ROWS_AT_ONCE = 256
# Up to a full stop that is followed by a space, or a Chinese one; else the first line, or all there is.
_SENTENCE = re.compile(r"[^\n]+?(?:[.!?](?=\s|$)|[。！？]|$)", re.MULTILINE)


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


def label_shares(
    texts: Sequence[str], labels: Sequence[Sequence[str]], beside: LabelsOutcome
) -> LabelsOutcome:
    """Give every row of `beside` each label with the share of training rows that have it."""
    counts = Counter(label for row in labels for label in set(row))
    shares = np.array([counts[label] for label in beside.labels]) / max(1, len(labels))
    return beside.answered(np.tile(shares, (len(beside.targets), 1)))


def tfidf_labels(
    texts: Sequence[str], labels: Sequence[Sequence[str]], beside: LabelsOutcome
) -> LabelsOutcome:
    """A linear model for each label over TF-IDF of runs of one to three characters."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), sublinear_tf=True)
    known, asked = vectorizer.fit_transform(texts), vectorizer.transform(beside.texts)
    found = np.zeros((len(beside.texts), len(beside.labels)), dtype=np.float32)
    for column, label in enumerate(beside.labels):
        has = np.array([label in row for row in labels])
        # What all rows have, or none, leaves nothing to be learned.
        if has.all() or not has.any():
            found[:, column] = has.mean()
        else:
            found[:, column] = LogisticRegression(C=10.0).fit(known, has).predict_proba(asked)[:, 1]
    return beside.answered(found)


def mean_score(texts: Sequence[str], scores: Sequence[float], beside: ScoreOutcome) -> ScoreOutcome:
    """Give every row of `beside` the mean of the training rows."""
    return beside.answered(np.full(len(beside.texts), np.mean(scores)))


def tfidf_ridge(texts: Sequence[str], scores: Sequence[float], beside: ScoreOutcome) -> ScoreOutcome:
    """Ridge regression over TF-IDF of runs of one to three characters."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge

    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), sublinear_tf=True)
    model = Ridge().fit(vectorizer.fit_transform(texts), scores)
    return beside.answered(model.predict(vectorizer.transform(beside.texts)))


def copy(sources: Sequence[str], targets: Sequence[str], beside: TextOutcome) -> TextOutcome:
    """Write every source of `beside` as it is."""
    return beside.answered(list(beside.sources))


def lead(sources: Sequence[str], targets: Sequence[str], beside: TextOutcome) -> TextOutcome:
    """Write the first sentence of every source of `beside`."""
    found = (_SENTENCE.match(source.strip()) for source in beside.sources)
    return beside.answered([match[0] if match else "" for match in found])


def nearest(sources: Sequence[str], targets: Sequence[str], beside: TextOutcome) -> TextOutcome:
    """Write the target of the training source most similar by TF-IDF over runs of one to three characters."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    known = vectorizer.fit_transform(sources)
    found: list[int] = []
    for start in range(0, len(beside.sources), _ROWS_AT_ONCE):
        asked = vectorizer.transform(beside.sources[start : start + _ROWS_AT_ONCE])
        found += np.asarray((asked @ known.T).todense()).argmax(axis=1).tolist()
    return beside.answered([targets[i] for i in found])


def start(prompts: Sequence[str], answers: Sequence[str], beside: PreferenceOutcome) -> PreferenceOutcome:
    """Reward no answer of `beside`, as the model does before training: rewards are measured against it."""
    return replace(beside, rewards=np.zeros_like(beside.rewards))


def longer(prompts: Sequence[str], answers: Sequence[str], beside: PreferenceOutcome) -> PreferenceOutcome:
    """Reward the longer answer of each row of `beside` by one."""
    longest = beside.tokens.max(axis=1, keepdims=True)
    return replace(beside, rewards=(beside.tokens == longest).astype(np.float32))


def tfidf_cosine(
    sources: Sequence[str], targets: Sequence[str], beside: RetrievalOutcome
) -> RetrievalOutcome:
    """Find by the cosine of TF-IDF over runs of one to three characters, counted in the training texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    vectorizer.fit([*sources, *targets])
    asked, known = vectorizer.transform(beside.sources), vectorizer.transform(beside.documents).T
    return beside.ranked(retrieval.ranks(beside, lambda part: (asked[part] @ known).toarray()))


def tfidf_similarity(
    sources: Sequence[str], targets: Sequence[str], beside: SimilarityOutcome
) -> SimilarityOutcome:
    """The cosine of TF-IDF over runs of one to three characters, counted in the training texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    vectorizer.fit([*sources, *targets])
    one, other = vectorizer.transform(beside.sources), vectorizer.transform(beside.others)
    return beside.answered(np.asarray(one.multiply(other).sum(axis=1)).ravel())


BASELINES: Mapping[str, Baseline] = {
    "majority": majority,
    "tfidf": tfidf,
    "label_shares": label_shares,
    "tfidf_labels": tfidf_labels,
    "mean_score": mean_score,
    "tfidf_ridge": tfidf_ridge,
    "copy": copy,
    "nearest": nearest,
    "lead": lead,
    "start": start,
    "longer": longer,
    "tfidf_cosine": tfidf_cosine,
    "tfidf_similarity": tfidf_similarity,
    "dictionary": dictionary,
    "nearest_sentence": nearest_sentence,
}


def run(
    names: Iterable[str], texts: Sequence[str], labels: Sequence[Any], beside: Answered
) -> dict[str, Answered]:
    """What each named baseline, trained on texts and what is known of them, does on the rows of `beside`.

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
