"""Choosing the next token: greedy, nucleus, and sequences that reproduce from their seed."""

from __future__ import annotations

import math

import pytest
import torch

from tunesmith.models.sampler import Sampler, choose, nucleus, pick, seeded
from tunesmith.models.sampling import Sampling

LOGITS = torch.tensor([0.0, 2.0, 1.0, -1.0])


def draw(count: int, **settings: float) -> list[int]:
    sampling = Sampling(max_new_tokens=count, **settings)  # type: ignore[arg-type]
    generator = seeded(sampling.seed)
    return [choose(LOGITS, sampling, generator) for _ in range(count)]


def test_temperature_zero_takes_the_most_probable_token() -> None:
    assert draw(5, temperature=0.0) == [1] * 5


def test_a_tiny_temperature_is_nearly_greedy_and_does_not_overflow() -> None:
    assert draw(5, temperature=1e-40, seed=1) == [1] * 5
    assert draw(5, temperature=1e-300, seed=1) == [1] * 5


def test_samples_follow_the_probabilities() -> None:
    drawn = draw(4000, temperature=1.0, seed=3)
    expected = LOGITS.softmax(-1).tolist()
    frequencies = [drawn.count(token) / len(drawn) for token in range(4)]
    assert frequencies == pytest.approx(expected, abs=0.03)


def test_what_has_no_weight_is_never_picked() -> None:
    weights, generator = torch.tensor([0.0, 0.3, 0.0, 0.0, 0.7, 0.0]), seeded(0)
    found = [pick(weights, generator) for _ in range(2000)]
    assert set(found) == {1, 4}
    assert found.count(1) / 2000 == pytest.approx(0.3, abs=0.05)
    for wrong in ([0.0, 0.0], [float("nan"), 1.0]):
        with pytest.raises(ValueError, match="no sum"):
            pick(torch.tensor(wrong), generator)


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
    settings = {"temperature": 0.3, "top_p": 0.5, "bias": ((0, 1.0),), "presence_penalty": 2.0}
    sampler = Sampler(Sampling(max_new_tokens=2, seed=1, logprobs=2, **settings))  # type: ignore[arg-type]
    for token, likelihood, _ in (sampler.next(LOGITS), sampler.next(LOGITS)):
        assert likelihood is not None
        probabilities = LOGITS.softmax(-1).tolist()
        assert math.exp(likelihood.logprob) == pytest.approx(probabilities[token])
        assert [(i, pytest.approx(math.exp(logprob))) for i, logprob in likelihood.top] == [
            (1, probabilities[1]),
            (2, probabilities[2]),
        ]


def test_a_bias_lifts_and_bans_tokens() -> None:
    sampler = Sampler(Sampling(max_new_tokens=2, bias=((0, 3.0), (1, -100.0))))
    assert sampler.next(LOGITS).id == 0
    assert Sampler(Sampling(max_new_tokens=1, bias=((1, -100.0),))).next(LOGITS).id == 2


def test_penalties_grow_with_what_was_written() -> None:
    frequency = Sampler(Sampling(max_new_tokens=9, frequency_penalty=0.4))
    assert [frequency.next(LOGITS).id for _ in range(6)] == [1, 1, 1, 2, 1, 2]  # 2.0 against 1.0, each -0.4
    presence = Sampler(Sampling(max_new_tokens=9, presence_penalty=1.5))
    assert [presence.next(LOGITS).id for _ in range(4)] == [1, 2, 1, 1]  # once each, however often


def test_a_grammar_has_the_last_word() -> None:
    class Once:
        def restrict(self, logits: torch.Tensor) -> torch.Tensor:
            return torch.where(torch.arange(4) == 3, logits, -torch.inf)

        def take(self, token: int) -> bool:
            return token == 3

    chosen = Sampler(Sampling(max_new_tokens=1, bias=((3, -100.0),), grammar=Once)).next(LOGITS)
    assert (chosen.id, chosen.ends) == (3, True)
