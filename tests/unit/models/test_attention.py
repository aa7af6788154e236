"""Attention maps of every kind of model: one shape, rows that sum to 1, and the model left as it was."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    AutoModelForCausalLM,
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertModel,
    MambaConfig,
    MambaForCausalLM,
    PreTrainedModel,
    T5Config,
    T5ForConditionalGeneration,
)

from tunesmith.core.errors import ModelError
from tunesmith.core.recipe import Scratch
from tunesmith.models import loading, scratch
from tunesmith.models.attention import EncoderDecoderMaps, attention_maps
from tunesmith.models.card import Code
from tunesmith.models.language import LanguageModel
from tunesmith.models.own import OwnConfig, OwnModel, marked
from tunesmith.models.reference import (
    DecoderConfig,
    EncoderConfig,
    EncoderDecoderConfig,
    ReferenceEncoder,
    ReferenceForCausalLM,
    ReferenceForSeq2SeqLM,
)
from tunesmith.models.resolve import Resolved
from tunesmith.models.transformer import Decoder, MultiHeadAttention, Size
from tunesmith.models.translator import Translator

IDS = [5, 6, 7, 8, 9]
TARGET = [1, 2, 3]
SIZE: dict[str, Any] = {
    "vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4,
    "max_position_embeddings": 12,
}  # fmt: skip


def stories(folder: Path) -> PreTrainedModel:
    made: PreTrainedModel = AutoModelForCausalLM.from_pretrained(folder / "weights" / "stories260K-hf")
    return made


def bert(_: Path) -> PreTrainedModel:
    return BertModel(BertConfig(**SIZE, intermediate_size=32))


def decoder(_: Path) -> PreTrainedModel:
    return ReferenceForCausalLM(DecoderConfig(**SIZE))


def encoder(_: Path) -> PreTrainedModel:
    return ReferenceEncoder(EncoderConfig(**SIZE))


def t5(_: Path) -> PreTrainedModel:
    config = T5Config(
        vocab_size=40, d_model=16, d_kv=4, d_ff=32, num_layers=2, num_heads=4, decoder_start_token_id=0
    )
    return T5ForConditionalGeneration(config)


def bart(_: Path) -> PreTrainedModel:
    sides = {
        f"{side}_{name}": value
        for side in ("encoder", "decoder")
        for name, value in {"layers": 2, "attention_heads": 4, "ffn_dim": 32}.items()
    }
    config = BartConfig(vocab_size=40, d_model=16, max_position_embeddings=12, **sides)
    return BartForConditionalGeneration(config)


def encoder_decoder(_: Path) -> PreTrainedModel:
    return ReferenceForSeq2SeqLM(EncoderDecoderConfig(**SIZE))


def is_lower(maps: Tensor) -> bool:
    return bool((maps == maps.tril()).all())


def sums(maps: Tensor) -> Tensor:
    return (maps.sum(-1) - 1).abs().max()


@pytest.mark.parametrize("make", [stories, bert, decoder, encoder])
def test_each_row_of_a_map_is_shared_out(make: Any, shared_data: Path) -> None:
    model = make(shared_data)
    maps = attention_maps(model, IDS)
    config = model.config
    assert maps.shape == (config.num_hidden_layers, config.num_attention_heads, len(IDS), len(IDS))
    assert sums(maps) < 1e-5
    assert is_lower(maps) == (make in (stories, decoder))


@pytest.mark.parametrize("make", [t5, bart, encoder_decoder])
def test_an_encoder_decoder_has_three_kinds_of_maps(make: Any, shared_data: Path) -> None:
    maps = attention_maps(make(shared_data), IDS, TARGET)
    assert isinstance(maps, EncoderDecoderMaps)
    source, target = len(IDS), len(TARGET)
    assert maps.encoder.shape == (2, 4, source, source)
    assert maps.decoder.shape == (2, 4, target, target)
    assert maps.cross.shape == (2, 4, target, source)
    for found in (maps.encoder, maps.decoder, maps.cross):
        assert sums(found) < 1e-5
    assert is_lower(maps.decoder)
    assert not is_lower(maps.encoder)


@pytest.mark.parametrize("make", [stories, bert, decoder])
def test_the_model_is_left_as_it_was(make: Any, shared_data: Path) -> None:
    model = make(shared_data).train()
    usual = model.config._attn_implementation
    before = model.eval()(input_ids=torch.tensor([IDS]))[0]
    model.train()
    attention_maps(model, IDS)
    assert model.training
    assert model.config._attn_implementation == usual
    assert torch.equal(model.eval()(input_ids=torch.tensor([IDS]))[0], before)


def test_a_map_is_the_softmax_of_scaled_products() -> None:
    model = BertModel(BertConfig(**{**SIZE, "num_hidden_layers": 1}, intermediate_size=32)).eval()
    maps = attention_maps(model, IDS)
    layer = model.encoder.layer[0].attention.self
    states = model.embeddings(input_ids=torch.tensor([IDS]))
    query, key = (part(states)[0].view(len(IDS), 4, 4).transpose(0, 1) for part in (layer.query, layer.key))
    expected = (query @ key.transpose(-1, -2) / math.sqrt(4)).softmax(-1)
    assert torch.allclose(maps[0], expected, atol=1e-6)


def test_a_model_without_maps_is_refused_by_name() -> None:
    class Recurrent(nn.Module):
        def forward(self, ids: Tensor) -> Tensor:
            return torch.zeros(*ids.shape, 4)

    own = marked(OwnModel(Recurrent(), OwnConfig()), Code(target="mine:Recurrent", settings={}, sha256=""))
    with pytest.raises(ModelError, match="M44") as error:
        attention_maps(own, IDS)
    assert error.value.problems[0].values["model"] == "mine:Recurrent"
    with pytest.raises(ModelError, match="M44"):
        attention_maps(MambaForCausalLM(MambaConfig(hidden_size=16, num_hidden_layers=1, vocab_size=10)), [1])


def test_a_translator_shows_what_it_reads_and_writes() -> None:
    size = Scratch(architecture="transformer", hidden=16, layers=2, heads=2, vocab=300, context=16)
    module, tokens = scratch.make(size, ["The parcel is late.", "包裹晚到了。"], seed=1)
    model = Translator(name="own", module=module.eval(), tokenizer=tokens, context=16)
    found = model.attention("The parcel")
    assert found.maps.cross.shape == (2, 2, len(found.target), len(found.source))
    assert "".join(found.source) == "<s>The parcel</s>"
    assert found.target[0] == "<s>"


def test_a_module_of_the_references_attention_shows_maps() -> None:
    inner = Decoder(Size(vocab=40, width=16, heads=4, layers=3, context=12))
    maps = attention_maps(OwnModel(inner, OwnConfig()), IDS)
    assert maps.shape == (3, 4, len(IDS), len(IDS))
    assert not any(part.watched for part in inner.modules() if isinstance(part, MultiHeadAttention))


def test_a_model_shows_the_tokens_of_a_text_and_its_maps(shared_data: Path) -> None:
    folder = shared_data / "weights" / "stories260K-hf"
    model = loading.load(Resolved(name="stories", folder=folder))
    assert isinstance(model, LanguageModel)
    found = model.attention("Once upon a time")
    assert found.maps.shape[2:] == (len(found.tokens), len(found.tokens))
    assert "".join(found.tokens[1:]).strip() == "Once upon a time"
