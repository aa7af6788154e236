"""Vectors of texts: counted words and characters, the same hashed, or the embeddings of a model.

All three have the interface `Vectorizer`. Rows have length 1, so that a dot product is a cosine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from tunesmith.language.segment import segment_all
from tunesmith.language.stemming import stems

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

Floats = NDArray[np.float32]
# From this many texts on, what occurs in one text only says nothing and costs memory.
_MANY = 1_000


class Vectorizer(Protocol):
    """Texts in, one row of float32 for each out: [texts, features], sparse or dense."""

    def fit(self, texts: Sequence[str], /) -> Self:
        """Learn from texts what `transform` needs to know; returns itself."""

    def transform(self, texts: Sequence[str], /) -> csr_matrix | Floats:
        """The vectors of texts, [texts, features]."""


class TfidfVectors:
    """Words, pairs of words, and runs of one to three characters within words, weighted by TF-IDF.

    Runs of characters find what a dictionary does not know; three are enough for Chinese and English alike.
    `stop` are words left out, `stem` the language whose rules cut words to their stems; `limit` bounds the
    features of each kind, the most frequent are kept.
    """

    def __init__(
        self, *, stop: frozenset[str] = frozenset(), stem: str | None = None, limit: int = 100_000
    ) -> None:
        self._stop, self._stem, self._limit = stop, stem, limit
        self._words: TfidfVectorizer | None = None
        self._characters: TfidfVectorizer | None = None

    def fit(self, texts: Sequence[str], /) -> TfidfVectors:
        """Learn the features and their weights."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        rare = 2 if len(texts) >= _MANY else 1
        shared = {"min_df": rare, "max_features": self._limit, "sublinear_tf": True, "dtype": np.float32}
        self._words = TfidfVectorizer(analyzer=_pairs, **shared).fit(self._terms(texts))
        self._characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), **shared).fit(texts)
        return self

    def transform(self, texts: Sequence[str], /) -> csr_matrix:
        """Sparse vectors [texts, features].

        Raises:
            RuntimeError: `fit` was not called.
        """
        from scipy.sparse import hstack
        from sklearn.preprocessing import normalize

        if self._words is None or self._characters is None:
            raise RuntimeError("fit comes before transform")
        parts = [self._words.transform(self._terms(texts)), self._characters.transform(texts)]
        joined: csr_matrix = normalize(hstack(parts, format="csr"))
        return joined

    def _terms(self, texts: Sequence[str]) -> list[list[str]]:
        return terms(texts, stop=self._stop, stem=self._stem)


class HashedVectors:
    """Words and pairs of words, hashed into `dimensions` counts: nothing is learned, memory is bounded."""

    def __init__(
        self, *, dimensions: int = 2**18, stop: frozenset[str] = frozenset(), stem: str | None = None
    ) -> None:
        self._dimensions, self._stop, self._stem = dimensions, stop, stem

    def fit(self, texts: Sequence[str], /) -> HashedVectors:
        """Nothing is to be learned."""
        return self

    def transform(self, texts: Sequence[str], /) -> csr_matrix:
        """Sparse vectors [texts, dimensions], never negative."""
        from sklearn.feature_extraction.text import HashingVectorizer

        hashing = HashingVectorizer(
            analyzer=_pairs, n_features=self._dimensions, alternate_sign=False, dtype=np.float32
        )
        hashed: csr_matrix = hashing.transform(terms(texts, stop=self._stop, stem=self._stem))
        return hashed


class EmbeddedVectors:
    """The vectors of a model: `embed` turns a list of texts into an array [texts, dimensions]."""

    def __init__(self, embed: Callable[[list[str]], NDArray[np.floating]], *, batch: int = 64) -> None:
        self._embed, self._batch = embed, batch

    def fit(self, texts: Sequence[str], /) -> EmbeddedVectors:
        """The model has learned already."""
        return self

    def transform(self, texts: Sequence[str], /) -> Floats:
        """Dense vectors [texts, dimensions]; texts are embedded in batches, in order."""
        if not texts:
            return np.empty((0, 0), dtype=np.float32)
        starts = range(0, len(texts), self._batch)
        parts = [np.asarray(self._embed(list(texts[at : at + self._batch])), np.float32) for at in starts]
        vectors = np.concatenate(parts)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, np.finfo(np.float32).tiny), np.float32)


def terms(
    texts: Sequence[str], *, stop: frozenset[str] = frozenset(), stem: str | None = None
) -> list[list[str]]:
    """The words of each text in lower case, without stop words, cut to stems if a language is given.

    Raises:
        DataError: D72 when the language has no rules for stems.
    """
    words = segment_all([text.lower() for text in texts])
    if stop:
        words = [[word for word in row if word not in stop] for row in words]
    return [stems(row, lang=stem) for row in words] if stem else words


def _pairs(words: list[str]) -> list[str]:
    """Words and pairs of neighbours."""
    return [*words, *map(" ".join, pairwise(words))]
