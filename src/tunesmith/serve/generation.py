"""One request for text, whatever its route: from prompts and wishes to counted pieces of text."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence

from tunesmith.core.errors import UsageError
from tunesmith.models.decoder import Finish, check_ids
from tunesmith.models.sampling import Sampling
from tunesmith.models.text_stream import Piece, TextStream
from tunesmith.serve.answers import Usage
from tunesmith.serve.deployment import TextDeployment
from tunesmith.serve.engine import Prompt
from tunesmith.serve.schemas import Generation as Wishes


class Generation:
    """The answers to one request: `n` for each prompt, in the order of the prompts.

    With `continues`, answers continue their prompt's text (a leading space is kept). Made in the event loop.

    Raises:
        UsageError: S02, S21 or S22 when a prompt cannot be continued.
        TunesmithError: S03 when too much is waiting, and what else `Engine.submit` raises.
    """

    def __init__(
        self,
        deployment: TextDeployment,
        prompts: Sequence[Sequence[int]],
        wishes: Wishes,
        *,
        max_tokens: int | None,
        continues: bool,
    ) -> None:
        self._prompt_tokens = sum(map(len, prompts))
        self._new_tokens = 0
        n = wishes.n or 1
        asked = [ids for ids in prompts for _ in range(n)]
        # What ends an answer and is no token: a text that goes on has no such end.
        own = () if continues else deployment.contract.text_stops(deployment.tokenizer)
        self._texts = [
            TextStream(deployment.tokenizer, stops=(*own, *wishes.stops), after=ids if continues else ())
            for ids in asked
        ]
        base = secrets.randbits(63) if wishes.seed is None else wishes.seed
        self._stream = deployment.engine.submit(
            [
                # The n answers to a prompt differ; the same prompt alone and among others gets the same ones.
                Prompt(ids, _sampling(deployment, ids, wishes, max_tokens, seed=base + i % n))
                for i, ids in enumerate(asked)
            ]
        )

    @property
    def count(self) -> int:
        """How many answers there are."""
        return len(self._texts)

    @property
    def usage(self) -> Usage:
        """Tokens read and written so far."""
        return Usage.of(self._prompt_tokens, self._new_tokens)

    async def pieces(self) -> AsyncIterator[tuple[int, Piece]]:
        """Text as it comes, with the index of its answer; pieces that say nothing are left out."""
        async for index, token in self._stream:
            self._new_tokens += 1
            piece = self._texts[index].feed(token)
            if piece.finish:
                self._stream.stop(index)
            if piece.text or piece.finish:
                yield index, piece

    async def collect(self) -> list[tuple[str, Finish]]:
        """All answers, complete."""
        texts = [""] * self.count
        finishes: list[Finish] = ["length"] * self.count
        async for index, piece in self.pieces():
            texts[index] += piece.text
            finishes[index] = piece.finish or finishes[index]
        return list(zip(texts, finishes, strict=True))

    def cancel(self) -> None:
        """Nobody reads this any more."""
        self._stream.cancel()


def _sampling(
    deployment: TextDeployment,
    ids: Sequence[int],
    wishes: Wishes,
    max_tokens: int | None,
    *,
    seed: int,
) -> Sampling:
    """Wishes over the contract's defaults. A wish for more tokens than there is room is refused, not cut."""
    defaults, context = deployment.contract.generation, deployment.context
    check_ids(ids, context=context, vocabulary=deployment.vocabulary)
    room = context - len(ids)
    if max_tokens is not None and max_tokens > room:
        raise UsageError("S02", tokens=len(ids), new=max_tokens, context=context)
    return Sampling(
        max_new_tokens=max_tokens or min(defaults.max_new_tokens, room),
        temperature=defaults.temperature if wishes.temperature is None else wishes.temperature,
        top_p=defaults.top_p if wishes.top_p is None else wishes.top_p,
        seed=seed,
        stop_ids=deployment.contract.stop_ids,
    )
