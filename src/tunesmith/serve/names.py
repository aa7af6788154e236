"""What engines and the numbers of weights are called; imports nothing."""

from __future__ import annotations

from typing import Literal, TypeAlias

EngineName = Literal["auto", "native", "torch", "vllm"]
Weights = Literal["float32", "bfloat16", "int8", "int4"]
Reason: TypeAlias = "dict[str, str]"  # see `core.text.because`

ENGINES: tuple[EngineName, ...] = ("auto", "native", "torch", "vllm")
WEIGHTS: tuple[Weights, ...] = ("float32", "bfloat16", "int8", "int4")
