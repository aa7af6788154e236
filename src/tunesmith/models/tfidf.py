"""The honest baseline of every classification: TF-IDF of words and character n-grams, and a linear model.

Character n-grams make it work for Chinese without a segmenter. It knows texts and labels only; it writes
its two files into a folder that the caller makes durable, as JSON and safetensors, never as pickled objects.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.core.errors import DataError, ModelError

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer

SETTINGS = "tfidf.json"
WEIGHTS = "tfidf.safetensors"
_WORD = r"(?u)\b\w+\b"
WORDS = (1, 2)
# Single characters are words in Chinese: on CSL's titles they are worth 1.2 points, on banking77 none.
CHARACTERS = (1, 4)
_MAX_FEATURES = 50_000
# From this many rows on, a feature seen once is noise and only costs memory.
_MANY_ROWS = 1_000
_INVERSE_REGULARISATION = 10.0
# Few words stand against many character n-grams, so they weigh double. Stopping L-BFGS here costs some
# 0.3 points on rows held out of banking77's training part, and saves a third of the time.
_WORD_WEIGHT = 2.0
_ITERATIONS = 25

Floats = NDArray[np.float32]


class TfidfClassifier:
    """A linear classifier ready for use: texts in, probabilities of `labels` out.

    `vocabulary` names the features; `idf` is [features], `weights` [labels, features], `bias` [labels].
    """

    kind = "tfidf"

    def __init__(
        self,
        *,
        name: str,
        labels: tuple[str, ...],
        vocabulary: tuple[str, ...],
        idf: Floats,
        weights: Floats,
        bias: Floats,
    ) -> None:
        self.name = name
        self.labels = labels
        self.vocabulary = vocabulary
        self._arrays = {"idf": idf, "weights": weights, "bias": bias}
        self._vectorizer = _vectorizer(vocabulary=vocabulary)
        self._vectorizer.idf_ = idf

    @property
    def digest(self) -> str:
        """The sha256 (hex) of labels, vocabulary and arrays."""
        result = hashlib.sha256(json.dumps([self.labels, self.vocabulary]).encode())
        for array in self._arrays.values():
            result.update(array.tobytes())
        return result.hexdigest()

    def predict(self, texts: Sequence[str]) -> Floats:
        """Probabilities [texts, labels], float32; each row sums to 1."""
        if not texts:
            return np.empty((0, len(self.labels)), dtype=np.float32)
        features = self._vectorizer.transform(texts)
        logits = features @ self._arrays["weights"].T + self._arrays["bias"]
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True), dtype=np.float32)

    def classify(self, texts: str | Sequence[str]) -> list[str]:
        """The most probable label of each text."""
        given = [texts] if isinstance(texts, str) else texts
        return [self.labels[i] for i in self.predict(given).argmax(axis=1)]

    def save(self, folder: Path) -> None:
        """Write the model's two files into a folder that exists."""
        from safetensors.numpy import save_file

        settings = {
            "format": 1,
            "name": self.name,
            "labels": self.labels,
            "words": WORDS,
            "characters": CHARACTERS,
            "vocabulary": self.vocabulary,
        }
        (folder / SETTINGS).write_text(json.dumps(settings, indent=0), encoding="utf-8")
        save_file(self._arrays, folder / WEIGHTS)


def fit(texts: Sequence[str], labels: Sequence[str], *, name: str) -> TfidfClassifier:
    """Learn from texts and their labels; the same rows give the same model.

    Raises:
        DataError: E07 when there are fewer than two labels; E08 when no text has a character.
    """
    if len(set(labels)) < 2:
        raise DataError("E07", labels=", ".join(sorted(set(labels))))
    vectorizer, features, emphasis = _fitted(texts)
    columns: list[str] = vectorizer.get_feature_names_out().tolist()
    known, weights, bias = _linear(features, labels)
    return TfidfClassifier(
        name=name,
        labels=known,
        vocabulary=tuple(columns),
        idf=vectorizer.idf_.astype(np.float32),
        weights=np.ascontiguousarray(weights * emphasis, dtype=np.float32),
        bias=bias,
    )


def features_of(texts: Sequence[str]) -> Any:
    """What a classifier would see of these texts, as a sparse matrix [texts, features] with rows of length 1.

    Raises:
        DataError: E08 when no text has a character.
    """
    from sklearn.preprocessing import normalize

    return normalize(_fitted(texts)[1])


def _fitted(texts: Sequence[str]) -> tuple[TfidfVectorizer, Any, Floats]:
    """The vectorizer of texts, their features with words emphasised, and how much each feature is."""
    if not any(text.strip() for text in texts):
        raise DataError("E08", rows=len(texts))
    rare = 2 if len(texts) >= _MANY_ROWS else 1
    vectorizer = _vectorizer(max_features=_MAX_FEATURES, min_df=rare)
    features = vectorizer.fit_transform(texts)
    columns = vectorizer.get_feature_names_out().tolist()
    emphasis = np.array([1.0 if c.startswith("#") else _WORD_WEIGHT for c in columns], np.float32)
    return vectorizer, features.multiply(emphasis).tocsr(), emphasis


def load(folder: Path) -> TfidfClassifier:
    """Read what `TfidfClassifier.save` wrote; its probabilities are the same to the last bit.

    Raises:
        ModelError: M06 when the files are missing, unreadable or do not belong together.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        settings = _settings(json.loads((folder / SETTINGS).read_text(encoding="utf-8")))
        arrays: dict[str, Any] = load_file(folder / WEIGHTS)
        _check_arrays(settings, arrays)
        return TfidfClassifier(**settings, **arrays)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ModelError("M06", file=folder, reason=str(error)) from error


def _vectorizer(**settings: Any) -> TfidfVectorizer:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(analyzer=_analyzer(), sublinear_tf=True, dtype=np.float32, **settings)


def _analyzer() -> Callable[[str], list[str]]:
    """What a text consists of: words and pairs of words, and `#` before each character n-gram."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    # One-letter words count too: scikit-learn's own pattern leaves them out.
    words = TfidfVectorizer(ngram_range=WORDS, token_pattern=_WORD).build_analyzer()
    characters = TfidfVectorizer(ngram_range=CHARACTERS, analyzer="char_wb").build_analyzer()

    def features(text: str) -> list[str]:
        return [*words(text), *("#" + gram for gram in characters(text))]

    return features


def _linear(features: Any, labels: Sequence[str]) -> tuple[tuple[str, ...], Any, Floats]:
    """Multinomial logistic regression: sorted labels, weights [labels, features], bias [labels]."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=_INVERSE_REGULARISATION, max_iter=_ITERATIONS)
    with warnings.catch_warnings():
        # Stopping early is meant: see _ITERATIONS.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features, np.asarray(labels, dtype=object))
    weights, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        # Two labels share one row of weights; softmax over (0, z) is the sigmoid of z.
        weights = np.concatenate([np.zeros_like(weights), weights])
        bias = np.concatenate([np.zeros_like(bias), bias])
    known = tuple(str(label) for label in model.classes_)
    return known, weights, bias.astype(np.float32)


def _settings(content: dict[str, Any]) -> dict[str, Any]:
    if content["format"] != 1:
        raise ValueError(f"format {content['format']} is not known")
    if (content["words"], content["characters"]) != (list(WORDS), list(CHARACTERS)):
        raise ValueError("the features are not those of this version")
    strings = [content["name"], *content["labels"], *content["vocabulary"]]
    if not all(isinstance(value, str) for value in strings):
        raise ValueError("names, labels and vocabulary must be text")
    labels, vocabulary = tuple(content["labels"]), tuple(content["vocabulary"])
    return {"name": content["name"], "labels": labels, "vocabulary": vocabulary}


def _check_arrays(settings: dict[str, Any], arrays: dict[str, Any]) -> None:
    labels, features = len(settings["labels"]), len(settings["vocabulary"])
    shapes = {"idf": (features,), "weights": (labels, features), "bias": (labels,)}
    expected = {key: (shape, "float32") for key, shape in shapes.items()}
    found = {key: (array.shape, str(array.dtype)) for key, array in arrays.items()}
    if found != expected:
        raise ValueError(f"expected arrays of {expected}, found {found}")
