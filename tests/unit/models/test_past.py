"""What a decoder keeps: a model that keeps nothing says what it would say with keys and values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, PreTrainedModel

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


def stories(shared_data: Path) -> PreTrainedModel:
    folder = shared_data / "weights" / "stories260K-hf"
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return model.eval()


@pytest.mark.parametrize("kind", [past.Cached, past.Recomputed, past.LlamaPast])
def test_logits_come_in_the_order_that_was_asked_for(
    gpt2: GPT2LMHeadModel, forgetful: OwnModel, shared_data: Path, kind: type
) -> None:
    module = {past.Cached: gpt2, past.Recomputed: forgetful, past.LlamaPast: stories(shared_data)}[kind]

    def alone(ids: Sequence[int]) -> Tensor:
        said: Tensor = module(input_ids=torch.tensor([list(ids)])).logits[0, -1]
        return said

    with torch.inference_mode():
        made = kind(module)
        for sequence, prompt in enumerate(PROMPTS):
            made.begin(sequence, prompt)
            made.read([(sequence, prompt[:1])])
        whole = made.read([(3, PROMPTS[3][1:]), (0, PROMPTS[0][1:])])
        torch.testing.assert_close(
            whole, torch.stack([alone(PROMPTS[3]), alone(PROMPTS[0])]), rtol=0, atol=1e-4
        )
        for sequence in (3, 0, 2):
            made.join(sequence)
        made.drop(1)
        made.drop(3)
        found = made.forward({2: 9, 0: 8})
        expected = torch.stack([alone([*PROMPTS[2], 9]), alone([*PROMPTS[0], 8])])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "changed",
    [
        {"model_type": "gemma"},
        {"hidden_act": "gelu"},
        {"sliding_window": 8},
        {"rope_parameters": {"rope_type": "dynamic"}},
    ],
)
def test_what_is_not_computed_by_hand_is_left_to_the_model(
    shared_data: Path, changed: dict[str, object]
) -> None:
    module = stories(shared_data)
    assert isinstance(past.of(module), past.LlamaPast)
    for key, value in changed.items():
        setattr(module.config, key, value)
    assert not past.covers(module)
