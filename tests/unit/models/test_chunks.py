"""Reading prompts in chunks: everyone's turn comes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tunesmith.models import chunks


@pytest.mark.parametrize(
    ("unread", "chunk", "expected"),
    [
        ([], 8, []),
        ([3], 8, [3]),
        ([30], 8, [8]),
        ([2, 3, 2], 8, [2, 3, 2]),
        ([30, 2, 30], 8, [6, 2, 0]),
        ([30, 20, 2], 8, [4, 2, 2]),
        ([30, 1], 1, [1, 0]),
    ],
)
def test_half_is_for_the_first_and_the_rest_for_the_shortest(
    unread: list[int], chunk: int, expected: list[int]
) -> None:
    assert chunks.shares(unread, chunk) == expected


class Sized(nn.Linear):
    """A module that counts as many parameters as it is told, on the processor."""

    device = torch.device("cpu")

    def __init__(self, parameters: int) -> None:
        super().__init__(parameters, 1, bias=False, device="meta")


@pytest.mark.parametrize(
    ("parameters", "tokens"), [(260_000, 512), (135_000_000, 128), (600_000_000, 32), (70_000_000_000, 32)]
)
def test_large_models_read_less_at_a_time(parameters: int, tokens: int) -> None:
    assert chunks.size(Sized(parameters)) == tokens
