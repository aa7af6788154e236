"""What engines and the numbers of weights are called; imports nothing."""

from __future__ import annotations

from typing import Literal

EngineName = Literal["auto", "native", "torch"]
Weights = Literal["float32", "bfloat16", "int8", "int4"]

ENGINES: tuple[EngineName, ...] = ("auto", "native", "torch")
WEIGHTS: tuple[Weights, ...] = ("float32", "bfloat16", "int8", "int4")
