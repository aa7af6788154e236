"""Texts laid one after another give what they give with padding, and each what it gives alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from tunesmith.models import classifier, packed, soft_prompt
from tunesmith.models.classifier import Classifier, probabilities

ROWS = [[5, 6, 7], [9] * 11, [3], [20, 21, 22], [40, 41]]


@pytest.fixture(scope="module")
def encoder() -> BertModel:
    torch.manual_seed(4)
    config = BertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, vocab_size=60
    )
    return BertModel(config, add_pooling_layer=False).eval()


def test_states_are_those_of_the_model(encoder: BertModel) -> None:
    with torch.inference_mode():
        found = packed.hidden(encoder, ROWS)
        alone = [encoder(input_ids=torch.tensor([row])).last_hidden_state[0] for row in ROWS]
    torch.testing.assert_close(found, torch.cat(alone), rtol=0, atol=1e-5)


def test_probabilities_are_those_with_padding(encoder: BertModel, monkeypatch: pytest.MonkeyPatch) -> None:
    module = Classifier(encoder, 3)
    found = probabilities(module, ROWS)
    monkeypatch.setattr(classifier.packed, "covers", lambda _: False)
    np.testing.assert_allclose(found, probabilities(module, ROWS), atol=1e-5)


def test_what_is_trained_or_is_no_plain_bert_is_left_to_itself(encoder: BertModel) -> None:
    assert packed.covers(encoder)
    assert not packed.covers(torch.nn.Linear(2, 2))
    encoder.train()
    assert not packed.covers(encoder)
    encoder.eval()
    soft_prompt.add(encoder, length=2)  # what a prompt does is none of the maps
    assert not packed.covers(encoder)
