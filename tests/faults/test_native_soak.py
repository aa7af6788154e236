"""The native engine under load for a while: 32 at once, some leave early, prompts are long, memory is short.

TUNESMITH_SOAK_SECONDS says for how long, 20 without it.
"""

from __future__ import annotations

import asyncio
import os
import random
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tunesmith.models.language import LanguageModel
from tunesmith.models.loading import load
from tunesmith.models.resolve import Resolved
from tunesmith.models.sampling import Sampling
from tunesmith.serve.admission import Limits
from tunesmith.serve.engine import Prompt
from tunesmith.serve.names import Computing

pytest.importorskip("llvmlite")

from tunesmith.serve.native import building
from tunesmith.serve.native.engine import NativeEngine, over
from tunesmith.serve.native.slots import PAGE

pytestmark = pytest.mark.faults

SECONDS = float(os.environ.get("TUNESMITH_SOAK_SECONDS", "20"))
CLIENTS = 32
LIMITS = Limits(
    batch=CLIENTS, running_size=24 * CLIENTS * PAGE // 8
)  # a quarter of what is wished for at once
KEPT = 12 * PAGE * 2 * 4 * 5 * 4 * 8  # bytes: some pages for beginnings, far fewer than there are prompts
GROWTH = 24 * 2**20  # bytes


@dataclass(slots=True)
class Met:
    """What clients have met."""

    whole: int = 0
    left: int = 0
    tokens: int = 0
    wrong: list[str] = field(default_factory=list)


def prompts() -> list[Prompt]:
    """Short and long ones that share beginnings, greedy and at random, each with a seed of its own."""
    draw = random.Random(3)
    begin = [[1, *(draw.randrange(259, 500) for _ in range(300))] for _ in range(4)]
    found = []
    for number in range(48):
        ids = [*begin[number % 4][: draw.choice((3, 20, 70, 150, 300))], 259 + number]
        wish = Sampling(
            max_new_tokens=draw.choice((5, 20, 60)), temperature=draw.choice((0.0, 1.0)), seed=number
        )
        found.append(Prompt(ids, wish))
    return found


async def ask(engine: NativeEngine, prompt: Prompt, leave_after: int | None) -> list[int]:
    """The tokens of one request, or the first of them."""
    stream = engine.submit([prompt])
    said: list[int] = []
    async for _, token in stream:
        said.append(token.id)  # type: ignore[union-attr]
        if len(said) == leave_after:
            stream.cancel()
            break
    return said


async def client(engine: NativeEngine, number: int, known: Sequence[tuple[Prompt, list[int]]], end: float,
                 met: Met) -> None:  # fmt: skip
    draw = random.Random(number)
    while time.monotonic() < end:
        prompt, expected = draw.choice(known)
        leave_after = draw.randrange(1, len(expected)) if draw.random() < 0.3 and len(expected) > 1 else None
        said = await ask(engine, prompt, leave_after)
        met.tokens += len(said)
        met.left += leave_after is not None
        met.whole += leave_after is None
        if said != (expected if leave_after is None else expected[:leave_after]):
            met.wrong.append(f"{prompt.ids[-3:]}: {said} for {expected}")


async def load_for(engine: NativeEngine, known: Sequence[tuple[Prompt, list[int]]], seconds: float) -> Met:
    met, end = Met(), time.monotonic() + seconds
    await asyncio.gather(*(client(engine, number, known, end, met) for number in range(CLIENTS)))
    return met


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell its memory so")
def test_no_token_is_wrong_and_memory_does_not_grow(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(Resolved(name="stories", folder=shared_data / "weights" / "stories260K-hf"))
    if not isinstance(model, LanguageModel):
        raise TypeError(model)
    monkeypatch.setattr(building, "_REMEMBERED", KEPT)
    engine = over(model.module, LIMITS, digest=model.digest, wished=Computing(weights="int8"))

    async def alone() -> list[tuple[Prompt, list[int]]]:
        return [(prompt, await ask(engine, prompt, None)) for prompt in prompts()]

    known = asyncio.run(alone())
    asyncio.run(load_for(engine, known, SECONDS / 4))  # until all that is ever used was used
    before = resident()
    met = asyncio.run(load_for(engine, known, SECONDS * 3 / 4))
    grown, busy = resident() - before, engine.stats().running
    engine.close()
    assert met.wrong == []
    assert (met.whole > CLIENTS, met.left > 0, busy) == (True, True, 0)
    assert grown < GROWTH, f"{grown} bytes more after {met}"
