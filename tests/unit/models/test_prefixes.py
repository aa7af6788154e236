"""Beginnings that were read before are not read again, and nothing that is said changes by it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from tunesmith.models.decoder import Decoder
from tunesmith.models.prefixes import Prefixes
from tunesmith.models.sampling import Sampling

SYSTEM = [1, *range(300, 340)]
GREEDY = Sampling(max_new_tokens=24)


@pytest.fixture(scope="module")
def stories(shared_data: Path) -> PreTrainedModel:
    folder = shared_data / "weights" / "stories260K-hf"
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return model.eval()


def written(decoder: Decoder, *prompts: list[int]) -> list[list[int]]:
    """What follows prompts that are continued together."""
    found: dict[int, list[int]] = {decoder.add(prompt, GREEDY): [] for prompt in prompts}
    while decoder.active:
        for token in decoder.step():
            found[token.handle].append(token.id)
    return list(found.values())


def reused(decoder: Decoder) -> int:
    return decoder._past.known.reused  # type: ignore[attr-defined]


def test_common_beginnings_are_read_once_and_answers_stay_the_same(stories: PreTrainedModel) -> None:
    plain = Decoder(stories, max_batch=4)
    cached = Decoder(stories, max_batch=4, remembered=2**24)
    questions = [[*SYSTEM, 400 + n, 410, 420 + n] for n in range(4)]
    assert written(cached, questions[0]) == written(plain, questions[0])
    assert written(cached, *questions[1:]) == written(plain, *questions[1:])
    assert reused(cached) == 3 * len(SYSTEM)


def test_a_conversation_goes_on_where_it_was(stories: PreTrainedModel) -> None:
    plain = Decoder(stories, max_batch=1)
    cached = Decoder(stories, max_batch=1, remembered=2**24)
    turns = list(SYSTEM)
    for turn in range(3):
        turns += [401 + turn, 402]
        before = reused(cached)
        [answer] = written(cached, turns)
        assert [answer] == written(plain, turns)
        # Of the last answer all but its last token was read.
        assert reused(cached) - before == (0 if turn == 0 else len(turns) - 3)
        turns += answer


def test_the_whole_prompt_again_leaves_one_token_to_read(stories: PreTrainedModel) -> None:
    decoder = Decoder(stories, max_batch=1, remembered=2**24)
    assert written(decoder, SYSTEM) == written(decoder, SYSTEM)
    assert reused(decoder) == len(SYSTEM) - 1


def test_memory_is_bounded_and_what_was_used_last_stays() -> None:
    known = Prefixes(3 * 20 * 8)
    stores = [torch.zeros(1, 2, 20, 1, 1) for _ in range(5)]  # 160 bytes each
    for number, store in enumerate(stores[:3]):
        known.keep([number] * 20, store)
    assert known.longest([0] * 20) is not None
    known.keep([3] * 20, stores[3])
    assert known.size == 480
    assert [known.longest([n] * 30) is not None for n in range(4)] == [True, False, True, True]


def test_what_goes_on_takes_the_place_of_its_beginning() -> None:
    known = Prefixes(2**20)
    known.keep([1] * 20, torch.zeros(1, 2, 20, 1, 1))
    known.keep([1] * 20 + [2] * 5, torch.zeros(1, 2, 25, 1, 1))
    assert known.size == 200
    assert known.longest([9, *[1] * 30]) is None
