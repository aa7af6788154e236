"""The linear models on a file they have not learned: each fifth of the rows by one that learned the rest.

So `tfidf`, which knows nothing without rows to train on, has an honest report on any labelled file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.core.errors import ModelError
from tunesmith.eval import baselines
from tunesmith.eval.outcome import Outcome, take
from tunesmith.workflow import measuring

if TYPE_CHECKING:
    import polars as pl

    from tunesmith.tasks.task import Task

FOLDS = 5
# Of each shape of rows: who answers, what it learns, and what it says.
_WAYS = {
    "labelled": ("tfidf", "label", "probabilities"),
    "multilabelled": ("tfidf_labels", "labels", "probabilities"),
    "scored": ("tfidf_ridge", "score", "predicted"),
}


def outcome(task: Task, frame: pl.DataFrame) -> Outcome:
    """What linear models over words and characters do on rows that they have not seen.

    Raises:
        ModelError: M14 when rows have neither labels nor numbers.
        DataError: E07 or E08 when the rows cannot teach one.
    """
    if task.shape not in _WAYS:
        raise ModelError("M14", name="tfidf", wanted=task.name, task="classify, score")
    name, column, said = _WAYS[task.shape]
    texts, values = frame["text"].to_list(), frame[column].to_list()
    blank: Any = _blank(task, frame)
    found = np.zeros_like(getattr(blank, said), dtype=np.float32)
    fold = _folds(texts)
    for number in np.unique(fold):
        known, asked = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        learned = [texts[place] for place in known], [values[place] for place in known]
        answered: Any = baselines.run([name], *learned, take(blank, asked))[name]
        found[asked] = getattr(answered, said)
    result: Outcome = blank.answered(found)
    return result


def _blank(task: Task, frame: pl.DataFrame) -> Outcome:
    """The rows, before anybody has answered."""
    if task.shape == "scored":
        return measuring.scored(frame, np.zeros(frame.height, dtype=np.float32))
    return measuring.labelled(task, frame, (), np.zeros((frame.height, 0), dtype=np.float32))


def _folds(texts: Sequence[str]) -> NDArray[np.int64]:
    """The fold of each text [texts]; the same text is in the same."""
    digests = (hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=4).digest() for text in texts)
    return np.array([int.from_bytes(digest) % FOLDS for digest in digests], dtype=np.int64)
