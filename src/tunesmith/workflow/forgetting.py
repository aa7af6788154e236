"""A fine-tuned model and the one it began as, put to the probes of forgetting; the latter once, and kept."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from tunesmith.core import cache
from tunesmith.eval import forgetting
from tunesmith.eval.forgetting import Answers, Forgetting
from tunesmith.models import card, following, loading, tokenizer
from tunesmith.models.embedder import TextEmbedder
from tunesmith.models.language import LanguageModel
from tunesmith.models.resolve import Resolved
from tunesmith.workflow.plan import Candidate, Plan

_FILE = "answers.json"
_UNASKED = ("tfidf", "encoder_decoder")
_LONGEST = 512


def measure(plan: Plan, kept: Candidate, folder: Path) -> Forgetting | None:
    """What the model in `folder` forgot of what its start knew.

    None of a model that began from nothing, and of kinds for which there are no probes.
    """
    start = kept.source.folder if isinstance(kept.source, Resolved) else None
    if start is None or {card.read(each).kind for each in (start, folder)} & set(_UNASKED):
        return None
    writes = card.read(folder).kind == "language"

    def write(made: Path) -> None:
        found = json.dumps(asdict(answers(start, writes=writes)))
        (made / _FILE).write_text(found, encoding="utf-8")

    key = cache.key(probes=forgetting.probes(), model=kept.identity, writes=writes, versions=plan.versions)
    there, _ = cache.folder(plan.workspace.cache, "probes", key, write)
    before = Answers(**json.loads((there / _FILE).read_text("utf-8")))
    return forgetting.compare(before, answers(folder, writes=writes))


def answers(folder: Path, *, writes: bool) -> Answers:
    """What a model makes of the probes: of continuations and texts if it writes, else of neighbours."""
    return _written(folder) if writes else _near(folder)


def _written(folder: Path) -> Answers:
    model = loading.load(Resolved(name=folder.name, folder=folder))
    if not isinstance(model, LanguageModel):
        raise TypeError(f"{folder} holds no language model")
    asked = forgetting.probes()
    right = {
        lang: [_goes_on(model, *item) for item in items] for lang, items in asked["continuations"].items()
    }
    bits = {lang: _bits(model, items) for lang, items in asked["texts"].items()}
    return Answers(right={"continuations": right}, bits=bits)


def _goes_on(model: LanguageModel, text: str, right: str, wrong: str) -> bool:
    """Whether a text goes on rightly rather than wrongly."""
    pairs = [following.pair(model.tokenizer, text, end) for end in (right, wrong)]
    one, other = following.followed(model, pairs)
    return one.logprob > other.logprob


def _bits(model: LanguageModel, texts: Sequence[str]) -> float:
    """Bits for each character of texts but the first of each."""
    pairs = [following.pair(model.tokenizer, text[:1], text[1:]) for text in texts]
    surprise = -sum(each.logprob for each in following.followed(model, pairs))
    return surprise / math.log(2) / sum(len(text) - 1 for text in texts)


def _near(folder: Path) -> Answers:
    model = TextEmbedder(
        name=folder.name,
        module=loading.encoder_module(folder),
        tokenizer=tokenizer.load(folder),
        context=min(card.read(folder).context, _LONGEST),
    )
    asked = forgetting.probes()["neighbours"]
    right = {lang: _nearer(model, items) for lang, items in asked.items()}
    return Answers(right={"neighbours": right}, bits={})


def _nearer(model: TextEmbedder, items: Sequence[Sequence[str]]) -> list[bool]:
    """Of each text whether the one that means the same is nearer to it than the other."""
    texts, same, other = (model.embed([item[side] for item in items]) for side in range(3))
    closer: list[bool] = (np.sum(texts * same, axis=1) > np.sum(texts * other, axis=1)).tolist()
    return closer
