"""What compiled code can do beyond arithmetic: memory at addresses, kernels, numbers that threads share.

An address is a whole number, and who calls these has made sure that it is one. The bodies are never run: a
compiler replaces calls of them.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence

from llvmlite import ir

from tunesmith.serve.native.compiler import F32, I64, Emitter, Value, external, intrinsic
from tunesmith.serve.native.emit import ARGUMENTS, COLUMNS

_I8, _I16, _I32 = ir.IntType(8), ir.IntType(16), ir.IntType(32)
_ORDERED = "seq_cst"
Kernel = tuple[int, int, int, int, int, int, int, int, int]


def _pointer(b: Value, address: Value, kind: Value) -> Value:
    return b.inttoptr(address, kind.as_pointer())


def _getter(kind: Value) -> Emitter:
    def emit(b: Value, given: Sequence[Value]) -> Value:
        found = b.load(b.gep(_pointer(b, given[0], kind), [given[1]]))
        return b.sext(found, I64) if kind == _I8 else found

    return emit


def _putter(kind: Value) -> Emitter:
    def emit(b: Value, given: Sequence[Value]) -> Value:
        value = given[2] if kind == F32 else b.trunc(given[2], kind)
        return b.store(value, b.gep(_pointer(b, given[0], kind), [given[1]]))

    return emit


@intrinsic(_getter(F32))
def get(address: int, index: int) -> float:
    """The float32 of that number behind an address."""
    raise NotImplementedError


@intrinsic(_getter(I64))
def whole(address: int, index: int) -> int:
    """The 64-bit number of that number behind an address."""
    raise NotImplementedError


@intrinsic(_getter(_I8))
def byte(address: int, index: int) -> int:
    """The signed byte of that number behind an address."""
    raise NotImplementedError


@intrinsic(_putter(F32))
def put(address: int, index: int, value: float) -> None:
    """Write a float32."""


@intrinsic(_putter(_I16))
def put_word(address: int, index: int, value: int) -> None:
    """Write the lower 16 bits."""


@intrinsic(_putter(_I8))
def put_byte(address: int, index: int, value: int) -> None:
    """Write the lower 8 bits."""


@intrinsic(lambda b, given: b.zext(b.bitcast(given[0], _I32), I64))
def bits(value: float) -> int:
    """The bits of a float32, as a number."""
    raise NotImplementedError


@intrinsic(lambda b, given: b.bitcast(b.trunc(given[0], _I32), F32))
def from_bits(value: int) -> float:
    """The float32 that has these bits."""
    raise NotImplementedError


def _llvm(name: str) -> Emitter:
    return lambda b, given: external(b, name, F32, given)


@intrinsic(_llvm("llvm.rint.f32"))
def nearest(value: float) -> float:
    """The nearest whole number; of two the even one."""
    raise NotImplementedError


@intrinsic(_llvm("llvm.sqrt.f32"))
def root(value: float) -> float:
    """The square root."""
    raise NotImplementedError


def _call(b: Value, given: Sequence[Value]) -> Value:
    kind = ir.FunctionType(ir.VoidType(), [I64] * ARGUMENTS)
    return b.call(_pointer(b, given[0], kind), given[1:])


@intrinsic(_call)
def call(address: int, arguments: Kernel) -> None:
    """Run the kernel at an address."""


def _finish(b: Value, given: Sequence[Value]) -> Value:
    """Of 16 columns at once: loops over them are not found to be free of overlaps."""
    tile, factors, biases, out, fresh = given
    columns = ir.VectorType(F32, COLUMNS)

    def read(address: Value) -> Value:
        found = b.load(_pointer(b, address, columns))
        found.align = 4
        return found

    values = [read(address) for address in (tile, factors, biases)]
    scaled = external(b, f"llvm.fmuladd.v{COLUMNS}f32", columns, values)
    whether = b.icmp_signed("!=", fresh, ir.Constant(I64, 0))
    before = b.select(whether, ir.Constant(columns, [0.0] * COLUMNS), read(out))
    b.store(b.fadd(before, scaled), _pointer(b, out, columns)).align = 4


@intrinsic(_finish)
def finish(tile: int, factors: int, biases: int, out: int, fresh: bool) -> None:
    """A row of a panel's sums, times the factor of each column, plus its bias: written, or added to `out`."""


@intrinsic(lambda b, given: b.load_atomic(_pointer(b, given[0], I64), _ORDERED, 8))
def load(address: int) -> int:
    """What the number at an address is now, whoever wrote it."""
    raise NotImplementedError


@intrinsic(lambda b, given: b.store_atomic(given[1], _pointer(b, given[0], I64), _ORDERED, 8))
def store(address: int, value: int) -> None:
    """Put a number at an address, for all to see."""


@intrinsic(lambda b, given: b.atomic_rmw("add", _pointer(b, given[0], I64), given[1], _ORDERED))
def add(address: int, value: int) -> int:
    """Add to the number at an address; returns what it was."""
    raise NotImplementedError


def _relax(b: Value, given: Sequence[Value]) -> Value:
    machine = platform.machine().lower()
    if machine in ("x86_64", "amd64"):
        return external(b, "llvm.x86.sse2.pause", ir.VoidType(), [])
    if machine in ("arm64", "aarch64"):
        return external(b, "llvm.aarch64.hint", ir.VoidType(), [ir.Constant(_I32, 1)])
    return None


@intrinsic(_relax)
def relax() -> None:
    """Tell the processor that this thread only waits."""


def _give_way(b: Value, given: Sequence[Value]) -> Value:
    return external(b, "sched_yield", _I32, []) if sys.platform != "win32" else None


@intrinsic(_give_way)
def give_way() -> None:
    """Let another program have this core for a moment, where the system has a word for that."""
