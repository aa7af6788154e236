"""What a decoder keeps: a model that keeps nothing says what it would say with keys and values."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel

from tunesmith.models import past
from tunesmith.models.decoder import Decoder
from tunesmith.models.own import OwnConfig, OwnModel
from tunesmith.models.sampling import Sampling

PROMPTS = [[5, 6, 7], [9] * 11, [3], [40, 41]]
JOINED = [0, 2, 2, 7]  # the step before which each prompt joins
SAMPLINGS = [Sampling(max_new_tokens=n) for n in (12, 4, 9, 6)]


class Forgetful(nn.Module):
    """GPT-2 without its memory."""

    def __init__(self, model: GPT2LMHeadModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor) -> Tensor:
        logits: Tensor = self.model(input_ids=ids, use_cache=False).logits
        return logits


@pytest.fixture
def gpt2() -> GPT2LMHeadModel:
    torch.manual_seed(4)
    config = GPT2Config(n_layer=2, n_head=2, n_embd=32, vocab_size=100, n_positions=64)
    model = GPT2LMHeadModel(config).eval()
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.15)
    return model


@pytest.fixture
def forgetful(gpt2: GPT2LMHeadModel) -> OwnModel:
    return OwnModel(Forgetful(gpt2), OwnConfig(vocab_size=100, max_position_embeddings=64)).eval()


def written(decoder: Decoder, removed: int | None = None) -> list[list[int]]:
    """What sequences become that join a running batch; `removed` is taken out after four steps."""
    found: dict[int, list[int]] = {}
    handles: list[int] = []
    step = 0
    while step <= max(JOINED) or decoder.active:
        for prompt, sampling, joined in zip(PROMPTS, SAMPLINGS, JOINED, strict=True):
            if joined == step:
                handles.append(decoder.add(prompt, sampling))
        if step == 4 and removed is not None:
            decoder.remove(handles[removed])
        for token in decoder.step():
            found.setdefault(token.handle, []).append(token.id)
        step += 1
    return [found[handle] for handle in handles]


@pytest.mark.parametrize("removed", [None, 0, 2])
def test_reading_anew_gives_what_keys_and_values_give(
    gpt2: GPT2LMHeadModel, forgetful: OwnModel, removed: int | None
) -> None:
    expected = written(Decoder(gpt2, max_batch=4), removed)
    assert written(Decoder(forgetful, max_batch=4), removed) == expected
    assert len({tuple(answer) for answer in expected}) == len(PROMPTS)


def test_only_a_model_that_takes_a_past_is_given_one(gpt2: GPT2LMHeadModel, forgetful: OwnModel) -> None:
    assert isinstance(past.of(gpt2), past.Cached)
    assert isinstance(past.of(forgetful), past.Recomputed)


@pytest.mark.parametrize("kind", [past.Cached, past.Recomputed])
def test_rows_keep_their_order(gpt2: GPT2LMHeadModel, forgetful: OwnModel, kind: type) -> None:
    made = kind(gpt2 if kind is past.Cached else forgetful)
    for prompt in PROMPTS[:3]:
        made.join(made.prefill(prompt)[1])
    made.keep([0, 2])

    def alone(ids: Sequence[int]) -> Tensor:
        logits: Tensor = gpt2(input_ids=torch.tensor([list(ids)])).logits[0, -1]
        return logits

    with torch.no_grad():
        found = made.forward([8, 9])
        expected = torch.stack([alone([*PROMPTS[0], 8]), alone([*PROMPTS[2], 9])])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
