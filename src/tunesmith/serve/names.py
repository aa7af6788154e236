"""What engines and the numbers in which they compute are called; imports nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

EngineName = Literal["auto", "native", "torch", "vllm"]
Weights = Literal["float32", "bfloat16", "int8", "int4"]
KvCache = Literal["float32", "bfloat16", "int8"]
Reason: TypeAlias = "dict[str, str]"  # see `core.text.because`

ENGINES: tuple[EngineName, ...] = ("auto", "native", "torch", "vllm")
WEIGHTS: tuple[Weights, ...] = ("float32", "bfloat16", "int8", "int4")
KV_CACHES: tuple[KvCache, ...] = ("float32", "bfloat16", "int8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Computing:
    """What is wished for: an engine, and in which numbers weights, and keys and values of tokens, are kept.

    None: the weights' own numbers; bfloat16 for keys and values, float32 beside weights in float32.
    """

    engine: EngineName = "auto"
    weights: Weights | None = None
    kv_cache: KvCache | None = None

    @property
    def special(self) -> str | None:
        """Numbers that only the engine native computes with, if such are wished for."""
        return next((name for name in (self.weights, self.kv_cache) if name not in (None, "float32")), None)


ANYHOW = Computing()
"""What is computed when nothing is wished for."""
