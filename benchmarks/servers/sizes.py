"""What contestants in process are asked for; each prints one JSON object of its figures.

Sequences begin with prompts, and are continued by as many tokens as are timed.
"""

from __future__ import annotations

import sys

BATCHES = {1: 64, 8: 24, 32: 12}
"""Steps that are timed, by how many sequences are continued at once."""
PROMPTS = {"135M": 128, "0.6B": 32}
"""Tokens before what is timed, by shape: a larger model takes minutes for those of 32 sequences."""
LONG = 512
"""Tokens of the prompt whose reading is timed."""


def before() -> int:
    """Tokens before what is timed, as the command says at its end."""
    return int(sys.argv[-1])


def prompt(number: int, length: int, vocabulary: int) -> list[int]:
    """Token ids that begin differently for every `number`."""
    return [(17 + 31 * number + 7 * i) % (vocabulary - 20) + 10 for i in range(length)]
