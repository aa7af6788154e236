"""The attention of models that have no method for it, and of long texts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tunesmith.core.errors import ModelError
from tunesmith.core.recipe import Scratch
from tunesmith.models import loading, scratch
from tunesmith.models.attending import attention_of, beginning
from tunesmith.models.attention import Attention, EncoderDecoderAttention
from tunesmith.models.embedder import TextEmbedder
from tunesmith.models.heads import Headed
from tunesmith.models.reader import TextReader
from tunesmith.models.resolve import Resolved
from tunesmith.models.scorer import Scorer, TextScorer
from tunesmith.models.tagger import TextTagger
from tunesmith.models.translator import Translator

TEXTS = ["The parcel is late.", "包裹晚到了。"]
SIZE = {"hidden": 16, "layers": 2, "heads": 2, "vocab": 300, "context": 32}


def test_every_kind_of_encoder_shows_what_it_looks_at() -> None:
    encoder, tokens = scratch.make(Scratch(architecture="bert", **SIZE), TEXTS, seed=1)
    named = {"name": "own", "tokenizer": tokens, "context": 32}
    kinds = [
        TextEmbedder(module=encoder, **named),
        TextTagger(module=Headed(encoder, 3), labels=("A",), **named),
        TextReader(module=Headed(encoder, 2), labels=(), **named),
        TextScorer(module=Scorer(encoder), **named),
    ]
    for model in kinds:
        found, cut = attention_of(model, TEXTS[0], most=64)
        assert isinstance(found, Attention)
        assert found.maps.shape == (2, 2, len(found.tokens), len(found.tokens))
        assert not cut


def test_a_long_text_is_cut_between_tokens_and_says_so(shared_data: Path) -> None:
    model = loading.load(Resolved(name="s", folder=shared_data / "weights" / "stories260K-hf"))
    text = "Once upon a time there was a little girl. " * 20
    found, cut = attention_of(model, text, most=16)
    assert isinstance(found, Attention)
    assert (len(found.tokens), cut) == (16, True)
    assert text.startswith(beginning(model.tokenizer, text, 16))  # type: ignore[union-attr]


def test_what_an_encoder_decoder_wrote_is_shortened_where_nothing_looks_back_at_it() -> None:
    module, tokens = scratch.make(Scratch(architecture="transformer", **SIZE), TEXTS, seed=1)
    model = Translator(name="own", module=module.eval(), tokenizer=tokens, context=32)
    found, _ = attention_of(model, "The parcel", most=3)
    assert isinstance(found, EncoderDecoderAttention)
    assert len(found.target) <= 3
    sums = [maps.sum(-1) for maps in (found.maps.encoder, found.maps.decoder, found.maps.cross)]
    assert all(torch.allclose(rows, torch.ones_like(rows), atol=1e-4) for rows in sums)


def test_a_model_without_tokens_is_refused() -> None:
    with pytest.raises(ModelError, match="M44"):
        attention_of(object(), "a", most=8)  # type: ignore[arg-type]
