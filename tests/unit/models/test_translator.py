"""Beam search finds what a search through everything finds."""

from __future__ import annotations

import itertools
from functools import cache

import pytest
import torch

from tunesmith.models import translator
from tunesmith.models.reference import EncoderDecoderConfig, ReferenceForSeq2SeqLM

VOCAB, START, END = 6, 1, 2
ROWS = [[3, 4, 5, 2], [5, 2], [4, 4, 3, 3, 5, 2]]


@pytest.fixture
def model() -> ReferenceForSeq2SeqLM:
    torch.manual_seed(3)
    config = EncoderDecoderConfig(
        vocab_size=VOCAB, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=8, pad_token_id=0, eos_token_id=END, decoder_start_token_id=START,
    )  # fmt: skip
    return ReferenceForSeq2SeqLM(config).eval()


@cache
def _steps(model: ReferenceForSeq2SeqLM, row: tuple[int, ...], written: tuple[int, ...]) -> torch.Tensor:
    logits = model(input_ids=torch.tensor([row]), decoder_input_ids=torch.tensor([[START, *written]])).logits
    last = logits[0, -1].detach()
    last[0] = float("-inf")
    return last.log_softmax(-1)


def _step(model: ReferenceForSeq2SeqLM, row: list[int], written: list[int]) -> torch.Tensor:
    return _steps(model, tuple(row), tuple(written))


def test_one_beam_takes_the_most_probable_token_each_time(model: ReferenceForSeq2SeqLM) -> None:
    for row, found in zip(ROWS, translator.write(model, ROWS, context=6), strict=True):
        expected: list[int] = []
        while len(expected) < 5:
            token = int(_step(model, row, expected).argmax())
            if token == END:
                break
            expected.append(token)
        assert found == expected


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_enough_beams_find_the_best_of_all(model: ReferenceForSeq2SeqLM, penalty: float) -> None:
    found = translator.write(model, ROWS, context=4, beams=VOCAB**3, length_penalty=penalty)
    for row, best in zip(ROWS, found, strict=True):
        scores: dict[tuple[int, ...], float] = {}
        for size in range(4):
            for body in itertools.product([1, 3, 4, 5], repeat=size):
                # What is as long as it may be has not to be ended.
                said = [*body] if size == 3 else [*body, END]
                steps = [float(_step(model, row, said[:i])[token]) for i, token in enumerate(said)]
                scores[body] = sum(steps) / len(said) ** penalty
        assert tuple(best) == max(scores, key=lambda body: scores[body])


def test_rows_are_written_as_if_alone(model: ReferenceForSeq2SeqLM) -> None:
    together = translator.write(model, ROWS, context=8, beams=3)
    assert together == [translator.write(model, [row], context=8, beams=3)[0] for row in ROWS]
    assert translator.write(model, [], context=8) == []
