"""The models that are served, with random weights: decoders, and an encoder with four labels."""

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
SHAPES = ("135M", "0.6B")
_DONE = "done"
_QWEN3 = {
    "hidden_size": 1024, "num_hidden_layers": 28, "num_attention_heads": 16, "num_key_value_heads": 8,
    "head_dim": 128, "intermediate_size": 3072, "vocab_size": 151_936, "max_position_embeddings": 8192,
    "tie_word_embeddings": True, "rms_norm_eps": 1e-6,
}  # fmt: skip


def decoder(folder: Path, shared: Path, shape: str, *, small: bool) -> Path:
    """A shape of `SHAPES`, SmolLM2-135M or Qwen3-0.6B, in float32; `small`: a tiny one in its place."""
    made = _made(folder, shared, "decoder", small=small)
    (made / TEMPLATE_FILE).write_text(TEMPLATES["chatml"], encoding="utf-8")
    return made if small or shape == "135M" else _larger(folder / "decoder-0.6B", made)


def _larger(made: Path, other: Path) -> Path:
    """Qwen3-0.6B with the tokenizer of another model: most of its vocabulary has no token."""
    if not (made / _DONE).exists():
        tokens = tokenizer.load(other)
        ids = {f"{role}_token_id": tokens.token_to_id(text) for role, text in tokenizer.ROLES.items()}
        torch.manual_seed(0)
        transformers.Qwen3ForCausalLM(transformers.Qwen3Config(**_QWEN3, **ids)).save_pretrained(made)
        tokenizer.save(tokens, made, context=_QWEN3["max_position_embeddings"], special=tokenizer.ROLES)
        (made / TEMPLATE_FILE).write_text(TEMPLATES["chatml"], encoding="utf-8")
        (made / _DONE).touch()
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
