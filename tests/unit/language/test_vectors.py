from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tunesmith.language.stopping import stop_words
from tunesmith.language.vectors import EmbeddedVectors, HashedVectors, TfidfVectors, Vectorizer, terms

TEXTS = ["my card has not arrived", "the card did not come", "外面的天气很好", "下雨，天气不好"]


def _letters(texts: list[str]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([[text.count(letter) for letter in "adeort天气"] for text in texts], float)


@pytest.mark.parametrize(
    "vectorizer", [TfidfVectors(), HashedVectors(dimensions=4096), EmbeddedVectors(_letters, batch=3)]
)
def test_texts_on_one_matter_are_nearer_than_others(vectorizer: Vectorizer) -> None:
    vectors = vectorizer.fit(TEXTS).transform(TEXTS)
    dense = np.asarray(vectors.toarray() if hasattr(vectors, "toarray") else vectors)
    near = dense @ dense.T
    assert dense.dtype == np.float32
    np.testing.assert_allclose(np.diag(near), 1, rtol=1e-5)
    assert near[0, 1] > near[0, 2:].max()
    assert near[2, 3] > near[2, :2].max()


def test_stop_words_and_forms_make_no_difference_when_left_out() -> None:
    words = terms(["The cards are running", "a card runs"], stop=stop_words("en"), stem="en")
    assert words == [["card", "run"], ["card", "run"]]


def test_transform_before_fit_is_a_mistake_of_the_program() -> None:
    with pytest.raises(RuntimeError):
        TfidfVectors().transform(TEXTS)


def test_no_texts_have_no_vectors() -> None:
    assert EmbeddedVectors(_letters).transform([]).shape[0] == 0
