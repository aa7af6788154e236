"""Instruction sets: what a processor has, and which of it the kernels use."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

import llvmlite.binding as llvm

from tunesmith.core.errors import UsageError

SETTING = "TUNESMITH_ISA"
"""The environment variable that names the best instruction set to be used; for tests and comparisons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Isa:
    """One way to compute: LLVM's `features` it needs, and how many rows a kernel keeps in registers.

    `vnni` multiplies bytes with bytes, `bf16` pairs of bfloat16; without them bytes are widened to 16 bits,
    and bfloat16 to float32.
    """

    name: str
    features: tuple[str, ...]
    rows: int
    vnni: bool = False
    bf16: bool = False


_WIDE = ("avx2", "fma", "f16c", "bmi2")
_WIDEST = (*_WIDE, "avx512f", "avx512bw", "avx512vl", "avx512dq")
PLAIN = Isa(name="plain", features=(), rows=4)
KNOWN = (
    Isa(name="avx512_bf16", features=(*_WIDEST, "avx512vnni", "avx512bf16"), rows=12, vnni=True, bf16=True),
    Isa(name="avx512_vnni", features=(*_WIDEST, "avx512vnni"), rows=12, vnni=True),
    Isa(name="avx2", features=_WIDE, rows=6),
    PLAIN,
)
"""The best first; each holds on every processor that has its features."""


def choose(features: Collection[str], best: str | None = None) -> Isa:
    """The first of the known ones, from `best` on, that a processor with these `features` can run.

    Raises:
        UsageError: N01 when `best` is none of them.
    """
    names = [isa.name for isa in KNOWN]
    if best is not None and best not in names:
        raise UsageError("N01", given=best, known=", ".join(names))
    allowed = KNOWN[names.index(best) if best else 0 :]
    return next(isa for isa in allowed if set(isa.features) <= set(features))


def here() -> Isa:
    """What this processor can do, no better than the environment variable TUNESMITH_ISA says.

    Raises:
        UsageError: N01 when it names none.
    """
    return choose(present(), os.environ.get(SETTING))


@cache
def present() -> frozenset[str]:
    """The features of this processor, as LLVM calls them."""
    found: Mapping[str, bool] = llvm.get_host_cpu_features()
    return frozenset(name for name, has in found.items() if has)
