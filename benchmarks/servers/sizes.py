"""What contestants in process are asked for; each prints one JSON object of its figures.

Sequences begin with prompts of so many tokens, and are continued by as many tokens as are timed.
"""

from __future__ import annotations

BATCHES = {1: 64, 8: 24, 32: 12}
"""Steps that are timed, by how many sequences are continued at once."""
PROMPT = 128
"""Tokens before what is timed."""
LONG = 512
"""Tokens of the prompt whose reading is timed."""


def prompt(number: int, length: int, vocabulary: int) -> list[int]:
    """Token ids that begin differently for every `number`."""
    return [(17 + 31 * number + 7 * i) % (vocabulary - 20) + 10 for i in range(length)]
