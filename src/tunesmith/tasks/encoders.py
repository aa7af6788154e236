"""What tasks on hidden states begin with: a model that gives them, and texts as its token ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.core.recipe import Made, Scratch
from tunesmith.models.card import Card, Kind
from tunesmith.tasks.task import Learner, Start

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import nn

CONTEXT = 512
"""Longer texts are cut: beyond it a mean over tokens says little more and costs much more."""


def begin(start: Start) -> tuple[nn.Module, Tokenizer]:
    """A model that gives hidden states, from a folder or from nothing, and its tokenizer.

    Raises:
        ModelError: M09 when weights do not fit; M43 when one of the user's own gives no hidden states.
    """
    from tunesmith.models import loading, readiness, scratch, tokenizer

    if isinstance(start.source, Made):
        encoder, tokens = scratch.make(start.source, start.texts, seed=start.seed)
        if isinstance(start.source, Scratch):
            encoder = getattr(encoder, "base_model", encoder)
    else:
        folder = Path(str(start.source.folder))
        encoder, tokens = loading.encoder_module(folder), tokenizer.load(folder)
    readiness.to_classify(encoder)
    return encoder, tokens


def card(start: Start, encoder: nn.Module, kind: Kind, task: str) -> Card:
    """What the model will be saved as."""
    from tunesmith.models import own
    from tunesmith.tasks import saving

    return Card(
        kind=kind,
        task=task,
        labels=start.labels,
        context=saving.context_of(start.source, start.context, at_most=CONTEXT),
        base=saving.base_of(start.source),
        code=own.code_of(encoder),
    )


def encode(learner: Learner, texts: Sequence[str]) -> tuple[list[NDArray[np.int32]], list[int]]:
    """The ids of each text, cut to the context; and how many tokens each lost."""
    from tunesmith.models import encoding

    encoded = encoding.encode(learner.tokenizer, texts)
    found = [encoding.truncate(item, learner.card.context) for item in encoded]
    return [np.asarray(ids, dtype=np.int32) for ids, _ in found], [lost for _, lost in found]


def row_ids(parts: Sequence[NDArray[np.integer[Any]]]) -> tuple[NDArray[np.integer[Any]], list[int]]:
    """The texts of one row one after the other, and where each but the first begins."""
    ends = np.cumsum([len(part) for part in parts])
    return np.concatenate(parts), ends[:-1].tolist()
