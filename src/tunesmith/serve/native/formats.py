"""In which numbers weights are kept, and how those of a panel of 16 columns lie in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tunesmith.serve.names import KvCache, Weights

if TYPE_CHECKING:
    from tunesmith.serve.native.isa import Isa

Activations = Literal["float32", "bfloat16", "int16", "int8"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One kind of weights on one kind of processor.

    `steps` consecutive numbers of one column lie beside each other. `group` numbers of depth share a scale
    of the activations (and of int4 weights); 0 where nothing is scaled. `offset` is added to int8 weights
    where the instruction takes them without a sign. `bits` are those of one weight, `depth` is padded to
    a multiple of `multiple`.
    """

    name: Weights
    activations: Activations
    bits: int
    steps: int
    group: int = 0
    offset: int = 0

    @property
    def multiple(self) -> int:
        """Depth is padded with zeros to a multiple of this."""
        return self.group or self.steps

    def depth(self, depth: int) -> int:
        """A depth, padded."""
        return -(-depth // self.multiple) * self.multiple

    def bytes(self, depth: int) -> int:
        """Of one panel whose padded depth is given, scales aside."""
        return 16 * depth * self.bits // 8


def format_for(weights: Weights, isa: Isa) -> Format:
    """How `weights` are kept where the instructions are those of `isa`."""
    match weights:
        case "float32":
            return Format(name=weights, activations="float32", bits=32, steps=1)
        case "bfloat16":
            kind: Activations = "bfloat16" if isa.bf16 else "float32"
            return Format(name=weights, activations=kind, bits=16, steps=2)
        case "int8" if isa.vnni:
            return Format(name=weights, activations="int8", bits=8, steps=4, group=64, offset=128)
        case "int8":
            return Format(name=weights, activations="int16", bits=8, steps=2, group=64)
        case _:
            return Format(name=weights, activations="int16", bits=4, steps=2, group=32)


def kv_cache_beside(weights: Weights, head: int, wished: KvCache | None) -> KvCache:
    """In which numbers keys and values of a `head` are kept beside weights.

    In bfloat16 two numbers of a head lie beside each other: one of odd size has float32 instead.
    """
    taken = wished or ("float32" if weights == "float32" else "bfloat16")
    return "float32" if taken == "bfloat16" and head % 2 else taken


def memory(kept: KvCache) -> Format:
    """How keys and values are kept. Queries and probabilities stay float32, on every processor.

    Bytes have a scale for each token and head, by which scores and probabilities are multiplied.
    """
    bits, steps = {"float32": (32, 1), "bfloat16": (16, 2), "int8": (8, 1)}[kept]
    return Format(name=kept, activations="float32", bits=bits, steps=steps)


def token_bytes(memory: Format, head: int) -> int:
    """What the key and the value of a token take for each head, with their scales."""
    return 2 * (head * memory.bits // 8 + (4 if memory.name == "int8" else 0))
