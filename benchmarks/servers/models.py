"""The models that are served, with random weights: a decoder, and an encoder with four labels."""

from __future__ import annotations

from pathlib import Path

import torch
import transformers
from trainers import material

from tunesmith.models import tokenizer
from tunesmith.models.card import Card
from tunesmith.models.classifier import Classifier
from tunesmith.models.contract import TEMPLATE_FILE, TEMPLATES

LABELS = ("a", "b", "c", "d")
_DONE = "done"


def decoder(folder: Path, shared: Path, *, small: bool) -> Path:
    """The shape of SmolLM2-135M, in float32."""
    made = _made(folder, shared, "decoder", small=small)
    (made / TEMPLATE_FILE).write_text(TEMPLATES["chatml"], encoding="utf-8")
    return made


def encoder(folder: Path, shared: Path, *, small: bool) -> tuple[Path, Path]:
    """The shape of a MiniLM, as we keep a classifier and as transformers does, with the same encoder."""
    ours = _made(folder, shared, "encoder", small=small)
    theirs = folder / "encoder-of-transformers"
    if not theirs.exists():
        inner = transformers.AutoModel.from_pretrained(ours)
        torch.manual_seed(0)
        Classifier(inner, len(LABELS)).save_head(ours)
        Card(kind="classifier", task="classify", labels=LABELS).save(ours)
        whole = transformers.BertForSequenceClassification(
            transformers.BertConfig.from_pretrained(ours, num_labels=len(LABELS))
        )
        whole.bert.load_state_dict(inner.state_dict(), strict=False)
        whole.save_pretrained(theirs)
        tokens = tokenizer.load(ours)
        tokenizer.save(tokens, theirs, context=512, special=tokenizer.ROLES)
    return ours, theirs


def _made(folder: Path, shared: Path, name: str, *, small: bool) -> Path:
    made = folder / name
    if not (made / _DONE).exists():
        size = (material.SMALL if small else material.LARGE)[name]
        texts = list(material.texts(shared))[:: 20 if small else 1]
        material.model(made, size, tokenizer.train(texts, vocab=size.vocab))
        (made / _DONE).touch()
    return made
