"""Whether a model can be trained and served in the memory of this machine, and by how much not.

The settings are those of most recipes that say nothing: 1024 tokens at once, rows as long as a task takes by
default, Adam. Only main memory counts: Tunesmith trains on the processor.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from tunesmith.models import memory
from tunesmith.models.card import Kind
from tunesmith.models.shapes import Shape

_TOKENS = 1024
_ROWS: dict[Kind, int] = {"language": 1024}
_OTHER_ROWS = 512
_SERVED_CONTEXT = 4096
# Other programs, and what an estimate leaves out, need some of it too.
_USABLE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Bytes that a model needs, libraries included, and what of it fits into `memory_bytes`.

    `trains` is how it can be trained: every weight, adapters alone, or not at all.
    """

    serve_bytes: int
    full_bytes: int
    lora_bytes: int
    memory_bytes: int

    @property
    def serves(self) -> bool:
        """Whether it can answer."""
        return self.serve_bytes <= _USABLE * self.memory_bytes

    @property
    def trains(self) -> Literal["full", "lora"] | None:
        """How it can be trained."""
        if self.full_bytes <= _USABLE * self.memory_bytes:
            return "full"
        return "lora" if self.lora_bytes <= _USABLE * self.memory_bytes else None

    @property
    def best(self) -> Literal["full", "lora", "serve", "none"]:
        """The most that can be done with it."""
        return self.trains or ("serve" if self.serves else "none")

    def as_dict(self) -> dict[str, Any]:
        """Plain values for --json, with a reason for what does not fit."""
        usable = round(_USABLE * self.memory_bytes)
        needs = {"full": self.full_bytes, "lora": self.lora_bytes, "serve": self.serve_bytes}
        reasons = [
            {"what": what, "needs_bytes": need, "usable_bytes": usable}
            for what, need in needs.items()
            if need > usable
        ]
        return {**asdict(self), "trains": self.trains, "serves": self.serves, "does_not_fit": reasons}


def of(shape: Shape | None, kind: Kind, *, context: int, memory_bytes: int, length: int | None = None) -> Fit:
    """What a model of a shape needs here; `length` is the longest row if it is known.

    A linear model has no shape, and needs next to nothing.
    """
    if shape is None:
        small = memory.LIBRARIES
        return Fit(serve_bytes=small, full_bytes=small, lora_bytes=small, memory_bytes=memory_bytes)
    rows = min(context or _OTHER_ROWS, _ROWS.get(kind, _OTHER_ROWS), length or 10**9)
    tokens = max(_TOKENS, rows)
    served = min(context or _SERVED_CONTEXT, _SERVED_CONTEXT)
    full, lora = (
        memory.LIBRARIES + memory.training(shape, kind, length=rows, tokens=tokens, method=method)
        for method in ("full", "lora")
    )
    serve = memory.LIBRARIES + memory.serving(shape, kind, context=served)
    return Fit(serve_bytes=serve, full_bytes=full, lora_bytes=lora, memory_bytes=memory_bytes)


def here(shape: Shape | None, kind: Kind, context: int, memory_bytes: int | None) -> dict[str, Any] | None:
    """What a model needs and what of it fits; None where nobody knows how much memory there is."""
    if memory_bytes is None:
        return None
    found = of(shape, kind, context=context, memory_bytes=memory_bytes)
    return {"best": found.best, **found.as_dict()}
