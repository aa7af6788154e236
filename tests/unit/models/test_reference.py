"""The reference Transformer behind the interface of `transformers`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM, PreTrainedModel

from tunesmith.models.reference import (
    DecoderConfig,
    EncoderConfig,
    EncoderDecoderConfig,
    ReferenceDecoder,
    ReferenceEncoder,
    ReferenceForCausalLM,
    ReferenceForSeq2SeqLM,
)

SIZE: dict[str, Any] = {
    "vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
    "max_position_embeddings": 12,
}  # fmt: skip


def _model(*, learned: bool = False) -> ReferenceForSeq2SeqLM:
    torch.manual_seed(0)
    config = EncoderDecoderConfig(
        vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=12, learned_positions=learned,
    )  # fmt: skip
    return ReferenceForSeq2SeqLM(config).eval()


def test_a_saved_encoder_decoder_is_read_back_by_the_auto_class(tmp_path: Path) -> None:
    for learned in (False, True):
        made = _model(learned=learned)
        made.save_pretrained(tmp_path)
        found = AutoModelForSeq2SeqLM.from_pretrained(tmp_path).eval()
        source, target = torch.randint(40, (2, 7)), torch.randint(40, (2, 5))
        expected = made(input_ids=source, decoder_input_ids=target).logits
        assert torch.equal(found(input_ids=source, decoder_input_ids=target).logits, expected)
        assert expected.shape == (2, 5, 40)


def test_what_the_encoder_read_takes_the_place_of_the_source() -> None:
    model = _model()
    source, target = torch.randint(40, (2, 7)), torch.randint(40, (2, 5))
    mask = torch.tensor([[1] * 7, [1] * 4 + [0] * 3])
    read = model.get_encoder()(source, mask)
    again = model(encoder_outputs=read, attention_mask=mask, decoder_input_ids=target).logits
    whole = model(input_ids=source, attention_mask=mask, decoder_input_ids=target).logits
    assert torch.equal(again, whole)


@pytest.mark.parametrize(
    ("auto", "made"),
    [
        (AutoModel, ReferenceEncoder(EncoderConfig(**SIZE))),
        (AutoModel, ReferenceDecoder(DecoderConfig(**SIZE))),
        (AutoModelForCausalLM, ReferenceForCausalLM(DecoderConfig(**SIZE))),
    ],
    ids=lambda it: type(it).__name__,
)
def test_saved_encoders_and_decoders_are_read_back_by_the_auto_class(
    auto: Any, made: PreTrainedModel, tmp_path: Path
) -> None:
    made.eval().save_pretrained(tmp_path)
    found = auto.from_pretrained(tmp_path).eval()
    ids = torch.randint(40, (2, 7))
    assert torch.equal(found(input_ids=ids)[0], made(input_ids=ids)[0])


def test_a_decoder_gives_logits_by_the_table_of_its_tokens() -> None:
    model = ReferenceForCausalLM(DecoderConfig(**SIZE)).eval()
    ids = torch.randint(40, (2, 7))
    assert torch.allclose(model(input_ids=ids).logits, model.model.decoder(ids), atol=1e-6)
    assert sum(p.numel() for p in model.parameters()) == sum(p.numel() for p in model.model.parameters())


def test_sinusoids_are_not_learned() -> None:
    names = {name for name, _ in _model().named_parameters()}
    assert "model.embedding.positions" not in names
    assert "model.embedding.positions" in {name for name, _ in _model(learned=True).named_parameters()}
