"""What Numba does not offer: calls through addresses, atomic numbers, bits of numbers.

An address is a 64-bit integer. Who calls these has made sure that it is one.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from tunesmith.serve.native.emit import ARGUMENTS

F = TypeVar("F", bound=Callable[..., Any])
_I64, _I32, _F32 = ir.IntType(64), ir.IntType(32), ir.FloatType()
_ORDERED = "seq_cst"


def _intrinsic(function: F) -> F:
    made: F = intrinsic(function)
    return made


def _pointer(builder: Any, address: Any, kind: Any) -> Any:
    return builder.inttoptr(address, kind.as_pointer())


def _external(builder: Any, name: str, result: Any, arguments: list[Any]) -> Any:
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, arguments), name)


@_intrinsic
def call(typing: Any, address: Any, arguments: Any) -> Any:
    """Run the kernel at `address` with its nine arguments."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [_I64] * ARGUMENTS)
        builder.call(_pointer(builder, given[0], kind), cgutils.unpack_tuple(builder, given[1]))
        return context.get_dummy_value()

    return types.void(types.int64, types.UniTuple(types.int64, ARGUMENTS)), generate


@_intrinsic
def bits(typing: Any, value: Any) -> Any:
    """The bits of a float32, as an integer."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.bitcast(given[0], _I32)

    return types.uint32(types.float32), generate


@_intrinsic
def from_bits(typing: Any, value: Any) -> Any:
    """The float32 that has these bits."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.bitcast(given[0], _F32)

    return types.float32(types.uint32), generate


@_intrinsic
def nearest(typing: Any, value: Any) -> Any:
    """The nearest whole number; of two the even one."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.call(_external(builder, "llvm.rint.f32", _F32, [_F32]), [given[0]])

    return types.float32(types.float32), generate


@_intrinsic
def pointer(typing: Any, address: Any) -> Any:
    """An address as what Numba makes arrays of."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.inttoptr(given[0], _F32.as_pointer())

    return types.CPointer(types.float32)(types.int64), generate


@_intrinsic
def load(typing: Any, address: Any) -> Any:
    """What the number at an address is now, whoever wrote it."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.load_atomic(_pointer(builder, given[0], _I64), _ORDERED, 8)

    return types.int64(types.int64), generate


@_intrinsic
def store(typing: Any, address: Any, value: Any) -> Any:
    """Put a number at an address, for all to see."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        builder.store_atomic(given[1], _pointer(builder, given[0], _I64), _ORDERED, 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@_intrinsic
def add(typing: Any, address: Any, value: Any) -> Any:
    """Add to the number at an address; returns what it was."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.atomic_rmw("add", _pointer(builder, given[0], _I64), given[1], _ORDERED)

    return types.int64(types.int64, types.int64), generate


@_intrinsic
def relax(typing: Any) -> Any:
    """Tell the processor that this thread only waits."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        if platform.machine().lower() in ("x86_64", "amd64"):
            builder.call(_external(builder, "llvm.x86.sse2.pause", ir.VoidType(), []), [])
        elif platform.machine().lower() in ("arm64", "aarch64"):
            hint = _external(builder, "llvm.aarch64.hint", ir.VoidType(), [_I32])
            builder.call(hint, [ir.Constant(_I32, 1)])
        return context.get_dummy_value()

    return types.void(), generate


@_intrinsic
def give_way(typing: Any) -> Any:
    """Let another program have this core for a moment, where the system has a word for that."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        if sys.platform != "win32":
            builder.call(_external(builder, "sched_yield", _I32, []), [])
        return context.get_dummy_value()

    return types.void(), generate
