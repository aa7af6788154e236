"""Many rows of token ids continued at once, the most probable token each time."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from tunesmith.models.decoder import Decoder
from tunesmith.models.sampling import Sampling

_AT_ONCE = 16


def continue_all(
    module: nn.Module,
    rows: Sequence[Sequence[int]],
    *,
    longest: int,
    context: int,
    stop_ids: tuple[int, ...],
) -> list[list[int]]:
    """The ids that follow each row, up to a stop, which is not among them.

    At most `longest` ids follow, and no more than twice as many as the row has, and a bit; nothing follows a
    row that fills the context.
    """
    module.eval()
    decoder = Decoder(module, max_batch=_AT_ONCE)
    found: list[list[int]] = [[] for _ in rows]
    waiting = [number for number, row in enumerate(rows) if len(row) < context][::-1]
    running: dict[int, int] = {}
    while waiting or decoder.active:
        while waiting and decoder.active < _AT_ONCE:
            number = waiting.pop()
            room = min(longest, context - len(rows[number]), 2 * len(rows[number]) + 16)
            sampling = Sampling(max_new_tokens=room, stop_ids=stop_ids)
            running[decoder.add(rows[number], sampling)] = number
        for token in decoder.step():
            if token.finish != "stop":
                found[running[token.handle]].append(token.id)
    return found
