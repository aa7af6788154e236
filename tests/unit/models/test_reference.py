"""The reference Transformer behind the interface of `transformers`."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModelForSeq2SeqLM

from tunesmith.models.reference import EncoderDecoderConfig, ReferenceForSeq2SeqLM


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


def test_sinusoids_are_not_learned() -> None:
    names = {name for name, _ in _model().named_parameters()}
    assert "model.embedding.positions" not in names
    assert "model.embedding.positions" in {name for name, _ in _model(learned=True).named_parameters()}
