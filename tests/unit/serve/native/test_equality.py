"""Greedily written texts are those of transformers in float32, token for token."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import native_quality
import pytest
import torch

from tunesmith.models.decoder import Batching
from tunesmith.models.language import LanguageModel
from tunesmith.models.sampling import Sampling
from tunesmith.serve.admission import Limits
from tunesmith.serve.native import building

LIMITS = Limits(batch=32, running_size=8192)


def prompts(decoder: Batching, count: int) -> list[list[int]]:
    """Beginnings of stories as the model tells them, of 2 to 41 tokens."""
    wishes = [Sampling(max_new_tokens=1 + n % 40, temperature=1.0, seed=n) for n in range(count)]
    return [[1, *said] for said in told(decoder, [[1]] * count, wishes)]


def told(decoder: Batching, ids: Sequence[list[int]], wishes: Sequence[Sampling]) -> list[list[int]]:
    """What follows each, with as many others as there is room for."""
    found: dict[int, list[int]] = {}
    waiting = list(zip(ids, wishes, strict=True))
    while waiting or decoder.active:
        while waiting and decoder.active < decoder.max_batch:
            found[decoder.add(*waiting.pop(0))] = []
        for token in decoder.step():
            found[token.handle].append(token.id)
    return list(found.values())


@torch.inference_mode()
def most_probable(module: torch.nn.Module, ids: Sequence[int]) -> list[int]:
    """What transformers finds most probable after each token."""
    found: list[int] = module(torch.tensor([ids])).logits[0].argmax(-1).tolist()
    return found


@pytest.mark.parametrize("count", [10, pytest.param(100, marks=pytest.mark.faults)])
def test_a_hundred_tokens_are_those_of_transformers(stories: LanguageModel, count: int) -> None:
    decoder = building.decoder(stories.module, stories.digest, "float32", LIMITS, 2)
    begun = prompts(decoder, count)
    written = told(decoder, begun, [Sampling(max_new_tokens=100, temperature=0.0)] * count)
    decoder.close()
    for prompt, said in zip(begun, written, strict=True):
        # If every token is the most probable one after those before it, theirs are the same.
        assert most_probable(stories.module, [*prompt, *said])[len(prompt) - 1 : -1] == said
        assert len(said) == 100


def test_what_is_guessed_of_repeated_text_changes_no_token(stories: LanguageModel) -> None:
    decoder = building.decoder(stories.module, stories.digest, "bfloat16", LIMITS, 2)
    story = [1, *told(decoder, [[1]], [Sampling(max_new_tokens=60, temperature=1.0, seed=4)])[0]]
    wishes = [
        Sampling(max_new_tokens=80, temperature=heat, seed=seed, logprobs=2, stop_ids=stop)
        for heat, seed, stop in ((0.0, 0, ()), (0.7, 1, ()), (1.0, 2, (story[-1],)))
    ]
    for wish in wishes:
        one = [*story, *story, *story[:20]]
        steps, found = 0, []
        decoder.add(one, wish)
        while decoder.active:
            found += decoder.step()
            steps += bool(found)
        # Beside another, nothing is guessed.
        handle, other = decoder.add(one, wish), decoder.add([1, 403], Sampling(max_new_tokens=200))
        beside = []
        while handle in decoder._rows or handle in decoder._newcomers:
            beside += [token for token in decoder.step() if token.handle == handle]
        decoder.remove(other)
        assert [(t.id, t.likelihood, t.finish) for t in found] == [
            (t.id, t.likelihood, t.finish) for t in beside
        ]
        if wish.temperature == 0:
            assert steps < len(found)
    decoder.close()


@pytest.mark.faults
def test_a_model_that_we_have_tuned_answers_alike_and_fewer_bits_cost_little(tmp_path: Path) -> None:
    model, rows = native_quality.taught(tmp_path, 240)
    found = native_quality.figures(model, rows)
    for weights, least in (
        ("float32", 1.0),
        ("bfloat16", 0.7),
        ("int8", 0.6),
        ("int8, kv int8", 0.6),
        ("int4", 0.1),
    ):
        assert found[weights]["same"] >= least, found
    for weights, most in (("float32", 1e-4), ("int8", 0.02), ("int8, kv int8", 0.02), ("int4", 0.5)):
        told = found[weights]["certificate"]
        assert told["perplexity"] == pytest.approx(told["perplexity_float32"], rel=most), found
        assert found[weights]["perplexity"] == pytest.approx(found["torch"]["perplexity"], rel=most), found
    assert found["int8"]["rouge_l"] == pytest.approx(found["torch"]["rouge_l"], abs=3), found
