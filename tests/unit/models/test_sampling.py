"""Choosing the next token: greedy, nucleus, and sequences that reproduce from their seed."""

from __future__ import annotations

import math

import pytest
import torch

from tunesmith.models.sampling import Sampling, choose, nucleus

LOGITS = torch.tensor([0.0, 2.0, 1.0, -1.0])


def draw(count: int, **settings: float) -> list[int]:
    sampling = Sampling(max_new_tokens=count, **settings)  # type: ignore[arg-type]
    generator = sampling.generator()
    return [choose(LOGITS, sampling, generator)[0] for _ in range(count)]


def test_temperature_zero_takes_the_most_probable_token() -> None:
    assert draw(5, temperature=0.0) == [1] * 5


def test_a_tiny_temperature_is_nearly_greedy_and_does_not_overflow() -> None:
    assert draw(5, temperature=1e-40, seed=1) == [1] * 5


def test_samples_follow_the_probabilities() -> None:
    drawn = draw(4000, temperature=1.0, seed=3)
    expected = LOGITS.softmax(-1).tolist()
    frequencies = [drawn.count(token) / len(drawn) for token in range(4)]
    assert frequencies == pytest.approx(expected, abs=0.03)


def test_the_same_seed_draws_the_same_tokens_and_another_seed_others() -> None:
    first = draw(50, temperature=1.0, seed=7)
    assert draw(50, temperature=1.0, seed=7) == first
    assert draw(50, temperature=1.0, seed=8) != first


def test_without_a_seed_draws_differ() -> None:
    assert draw(60, temperature=1.0) != draw(60, temperature=1.0)


@pytest.mark.parametrize(("top_p", "kept"), [(1e-6, 1), (0.5, 1), (0.7, 2), (0.95, 3), (1.0, 4)])
def test_nucleus_keeps_the_smallest_set_that_reaches_top_p(top_p: float, kept: int) -> None:
    probabilities, ids = nucleus(LOGITS.softmax(-1), top_p)
    assert len(probabilities) == kept
    assert ids.tolist() == [1, 2, 0, 3][:kept]


def test_tokens_outside_the_nucleus_are_never_drawn() -> None:
    assert set(draw(500, temperature=1.0, top_p=0.8, seed=1)) == {1, 2}


def test_the_logprob_is_the_models_own_whatever_the_temperature() -> None:
    sampling = Sampling(max_new_tokens=1, temperature=0.3, top_p=0.5, seed=1, logprobs=True)
    token, logprob = choose(LOGITS, sampling, sampling.generator())
    assert logprob is not None
    assert math.exp(logprob) == pytest.approx(float(LOGITS.softmax(-1)[token]))
