"""One request for text, whatever its route: from prompts and wishes to counted pieces of text."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from tunesmith.core.errors import UsageError
from tunesmith.models.sampling import Sampling
from tunesmith.models.text_stream import TextStream
from tunesmith.models.token import Finish, Likelihood, check_ids
from tunesmith.serve.answers import Usage
from tunesmith.serve.engine import Item, Prompt, Reading
from tunesmith.serve.grammar import Compiled, require_kept
from tunesmith.serve.schemas import Generation as Wishes
from tunesmith.serve.served import TextDeployment
from tunesmith.serve.usage import spend


@dataclass(frozen=True, slots=True)
class Said:
    """A token and how likely it was; nothing is known of the first one of a prompt."""

    id: int
    likelihood: Likelihood | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Text of one answer with the tokens since the part before, if asked for; the last one has a finish."""

    text: str
    finish: Finish | None
    said: tuple[Said, ...] = ()

    def __add__(self, other: Part) -> Part:
        return Part(
            text=self.text + other.text,
            finish=other.finish or self.finish,
            said=self.said + other.said,
        )


NOTHING = Part(text="", finish=None)


class Generation:
    """The answers to one request: `n` for each prompt, in the order of the prompts.

    With `continues`, answers continue their prompt's text (a leading space is kept). `echo` are the prompts'
    texts, which then begin the answers. Made in the event loop.

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
        echo: Sequence[str] = (),
        grammar: Compiled | None = None,
    ) -> None:
        self._grammar = grammar
        self._meter = deployment.meter
        self._begun: float | None = time.perf_counter()
        self._prompt_tokens = sum(map(len, prompts))
        self._new_tokens = 0
        self._tells = wishes.tops is not None
        n = wishes.n or 1
        self._asked = [ids for ids in prompts for _ in range(n)]
        self._echo = [text for text in echo for _ in range(n)]
        # What ends an answer and is no token: a text that goes on has no such end.
        own = () if continues else deployment.contract.text_stops(deployment.tokenizer)
        self._texts = [
            TextStream(deployment.tokenizer, stops=(*own, *wishes.stops), after=ids if continues else ())
            for ids in self._asked
        ]
        self._held = [NOTHING] * len(self._asked)
        base = secrets.randbits(63) if wishes.seed is None else wishes.seed
        self._stream = deployment.engine.submit(
            [
                # The n answers to a prompt differ; the same prompt alone and among others gets the same ones.
                Prompt(
                    ids,
                    _sampling(deployment, ids, wishes, max_tokens, seed=base + i % n, grammar=grammar),
                    read=(wishes.tops or 0) if echo and (self._tells or max_tokens == 0) else None,
                )
                for i, ids in enumerate(self._asked)
            ]
        )
        self._meter.prompt_tokens += self._prompt_tokens
        spend(prompt_tokens=self._prompt_tokens)

    @property
    def count(self) -> int:
        """How many answers there are."""
        return len(self._texts)

    @property
    def usage(self) -> Usage:
        """Tokens read and written so far."""
        return Usage.of(self._prompt_tokens, self._new_tokens)

    async def parts(self) -> AsyncIterator[tuple[int, Part]]:
        """Text as it comes, with the index of its answer; what says nothing is held back for the next."""
        for index, text in enumerate(self._echo):
            self._held[index] = replace(NOTHING, text=text)
        async for index, item in self._stream:
            part = self._held[index] + self._part(index, item)
            if part.finish:
                self._stream.stop(index)
                require_kept(self._grammar)
            if part.text or part.finish:
                self._held[index] = NOTHING
                yield index, part
            else:
                self._held[index] = part

    def _part(self, index: int, item: Item) -> Part:
        if isinstance(item, Reading):
            likelihoods = [None, *item.likelihoods]
            said = tuple(map(Said, self._asked[index], likelihoods)) if self._tells else ()
            return Part(text="", finish=item.finish, said=said)
        self._count()
        piece = self._texts[index].feed(item)
        said = (Said(item.id, item.likelihood),) if self._tells else ()
        return Part(text=piece.text, finish=piece.finish, said=said)

    def _count(self) -> None:
        self._new_tokens += 1
        self._meter.wrote()
        spend(new_tokens=1)
        if self._begun is not None:
            self._meter.began(time.perf_counter() - self._begun)
            self._begun = None

    async def collect(self) -> list[Part]:
        """All answers, complete."""
        whole = [replace(NOTHING, finish="length")] * self.count
        async for index, part in self.parts():
            whole[index] += part
        return whole

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
    grammar: Compiled | None,
) -> Sampling:
    """Wishes over the contract's defaults. A wish for more tokens than there is room is refused, not cut."""
    defaults, context = deployment.contract.generation, deployment.context
    # To be read only, a prompt may fill the whole context.
    check_ids(ids, context=context + (max_tokens == 0), vocabulary=deployment.vocabulary)
    check_ids([*wishes.bias, 0], context=None, vocabulary=deployment.vocabulary)
    room = context - len(ids)
    if max_tokens is not None and max_tokens > room:
        raise UsageError("S02", tokens=len(ids), new=max_tokens, context=context)
    return Sampling(
        max_new_tokens=min(defaults.max_new_tokens, room) if max_tokens is None else max_tokens,
        temperature=defaults.temperature if wishes.temperature is None else wishes.temperature,
        top_p=defaults.top_p if wishes.top_p is None else wishes.top_p,
        seed=seed,
        stop_ids=deployment.contract.stop_ids,
        logprobs=wishes.tops,
        bias=tuple(wishes.bias.items()),
        presence_penalty=wishes.presence_penalty or 0.0,
        frequency_penalty=wishes.frequency_penalty or 0.0,
        grammar=grammar,
    )
