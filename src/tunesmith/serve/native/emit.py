"""Micro-kernels as LLVM code: rows of activations times one panel of weights, added to rows of outputs.

A panel holds 16 columns. Its weights lie in the order in which they are read, 16 columns for so many steps of
depth as the numbers of a format are multiplied at once. A kernel is

    void kernel(weights, scales, x, x_stride, sides, sides_stride, depth, y, y_stride)

All arguments are 64-bit; strides are in bytes. `y[row, 0:16] += x[row, :] @ panel` for as many rows as the
kernel has. Every output is summed in the order of depth whatever the number of rows, so that a row's result
does not depend on what is computed beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from llvmlite import ir

from tunesmith.serve.native.formats import Format
from tunesmith.serve.native.isa import Isa

COLUMNS = 16
ARGUMENTS = 9
_LINE = 64  # bytes
_AHEAD = 2048
"""How many bytes before they are multiplied weights are asked of memory: what it brings in its latency.
Processors look ahead by themselves, but not beyond a page of 4 KiB."""

Value: TypeAlias = Any  # llvmlite says nothing of its types
I8, I16, I32, I64, F32 = ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64), ir.FloatType()
FLOATS, INTS, WORDS = ir.VectorType(F32, 16), ir.VectorType(I32, 16), ir.VectorType(I16, 32)


class _BFloat(ir.Type):  # type: ignore[misc]
    """LLVM's bfloat, which llvmlite does not know."""

    def _to_string(self) -> str:
        return "bfloat"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _BFloat)

    def __hash__(self) -> int:
        return hash("bfloat")


PAIRS = ir.VectorType(_BFloat(), 32)


def module(kind: Format, isa: Isa) -> str:
    """LLVM code with the kernels `rows_1` to `rows_N` of one format."""
    made = ir.Module(name=f"{kind.name}_{isa.name}")
    for rows in range(1, most_rows(kind, isa) + 1):
        signature = ir.FunctionType(ir.VoidType(), [I64] * ARGUMENTS)
        function = ir.Function(made, signature, f"rows_{rows}")
        _Kernel(function, kind, isa, rows).emit()
    return str(made)


def most_rows(kind: Format, isa: Isa) -> int:
    """Of the largest kernel: one less than usual where both halves of pairs of bfloat16 take registers."""
    return isa.rows - (kind.name == "bfloat16" and kind.activations == "float32")


class _Kernel:
    """One function in the making."""

    def __init__(self, function: Value, kind: Format, isa: Isa, rows: int) -> None:
        self.module, self.kind, self.isa, self.rows = function.module, kind, isa, rows
        self.b = ir.IRBuilder(function.append_basic_block("entry"))
        self.weights, self.scales, self.x, self.x_stride, *rest = function.args
        self.sides, self.sides_stride, self.depth, self.y, self.y_stride = rest

    def emit(self) -> None:
        """Write the whole function."""
        body = self._groups if self.kind.group else self._steps
        body()
        self.b.ret_void()

    # Addresses and vectors.

    def _at(self, base: Value, offset: Value, stride: int = 1) -> Value:
        return self.b.add(base, self.b.mul(offset, _i64(stride)))

    def _load(self, address: Value, kind: Value, align: int = 4) -> Value:
        loaded = self.b.load(self.b.inttoptr(address, kind.as_pointer()))
        loaded.align = align
        return loaded

    def _prefetch(self, address: Value) -> None:
        """Ask for the weights that come a while after those at an address; what is not memory is no error."""
        place = self.b.inttoptr(self.b.add(address, _i64(_AHEAD)), I8.as_pointer())
        self._call("llvm.prefetch.p0", ir.VoidType(), [place, _i32(0), _i32(3), _i32(1)])

    def _splat(self, value: Value, count: int = COLUMNS) -> Value:
        kind = ir.VectorType(value.type, count)
        one = self.b.insert_element(ir.Constant(kind, ir.Undefined), value, _i32(0))
        mask = ir.Constant(ir.VectorType(I32, count), [0] * count)
        return self.b.shuffle_vector(one, ir.Constant(kind, ir.Undefined), mask)

    def _call(self, name: str, result: Value, values: Sequence[Value]) -> Value:
        kind = ir.FunctionType(result, [value.type for value in values])
        known = self.module.globals.get(name) or ir.Function(self.module, kind, name)
        return self.b.call(known, values)

    def _fma(self, a: Value, b: Value, c: Value) -> Value:
        return self._call("llvm.fmuladd.v16f32", FLOATS, [a, b, c])

    def _row(self, base: Value, stride: Value, row: int) -> Value:
        return self.b.add(base, self.b.mul(stride, _i64(row)))

    def _loop(self, count: Value, body: Callable[[Value], None]) -> None:
        """`body` for 0 to `count`, which may be 0."""
        b = self.b
        index = b.alloca(I64)
        b.store(_i64(0), index)
        head, inside, after = (b.append_basic_block(name) for name in ("head", "inside", "after"))
        b.branch(head)
        b.position_at_end(head)
        b.cbranch(b.icmp_signed("<", b.load(index), count), inside, after)
        b.position_at_end(inside)
        body(b.load(index))
        b.store(b.add(b.load(index), _i64(1)), index)
        b.branch(head)
        b.position_at_end(after)

    def _slots(self, kind: Value) -> list[Value]:
        # All at the beginning, so that LLVM makes registers of them.
        with self.b.goto_entry_block():
            return [self.b.alloca(kind) for _ in range(self.rows)]

    # Formats whose products are summed as float32.

    def _steps(self) -> None:
        sums = self._slots(FLOATS)
        outputs = [self._row(self.y, self.y_stride, row) for row in range(self.rows)]
        for slot, address in zip(sums, outputs, strict=True):
            self.b.store(self._load(address, FLOATS), slot)
        xs = [self._row(self.x, self.x_stride, row) for row in range(self.rows)]
        steps = {"float32": self._float32, "bfloat16": self._bfloat16, "int8": self._bytes_alone}
        step = steps[self.kind.name]
        unroll, several = 4, self.b.sdiv(self.depth, _i64(4 * self.kind.steps))

        def four(index: Value) -> None:
            for u in range(unroll):
                step(self.b.add(self.b.mul(index, _i64(unroll)), _i64(u)), xs, sums)

        self._loop(several, four)
        begun = self.b.mul(several, _i64(unroll))
        left = self.b.sub(self.b.sdiv(self.depth, _i64(self.kind.steps)), begun)
        self._loop(left, lambda index: step(self.b.add(begun, index), xs, sums))
        for slot, address in zip(sums, outputs, strict=True):
            self._put(self.b.load(slot), address)

    def _put(self, value: Value, address: Value) -> None:
        self.b.store(value, self.b.inttoptr(address, value.type.as_pointer())).align = 4

    def _float32(self, at: Value, xs: Sequence[Value], sums: Sequence[Value]) -> None:
        address = self._at(self.weights, at, _LINE)
        self._prefetch(address)
        self._add_products(self._load(address, FLOATS), at, xs, sums)

    def _add_products(self, weights: Value, at: Value, xs: Sequence[Value], sums: Sequence[Value]) -> None:
        for x, slot in zip(xs, sums, strict=True):
            value = self._splat(self._load(self._at(x, at, 4), F32))
            self.b.store(self._fma(weights, value, self.b.load(slot)), slot)

    def _bfloat16(self, at: Value, xs: Sequence[Value], sums: Sequence[Value]) -> None:
        address = self._at(self.weights, at, _LINE)
        self._prefetch(address)
        both = self._load(address, INTS)
        if self.kind.activations == "bfloat16":
            for x, slot in zip(xs, sums, strict=True):
                value = self.b.bitcast(self._splat(self._load(self._at(x, at, 4), I32)), PAIRS)
                values = [self.b.load(slot), self.b.bitcast(both, PAIRS), value]
                self.b.store(self._call("llvm.x86.avx512bf16.dpbf16ps.512", FLOATS, values), slot)
            return
        low = self.b.bitcast(self.b.shl(both, _ints(16)), FLOATS)
        high = self.b.bitcast(self.b.and_(both, _ints(-65536)), FLOATS)
        for x, slot in zip(xs, sums, strict=True):
            begin = self._at(x, at, 8)
            for weights, offset in ((low, 0), (high, 4)):
                value = self._splat(self._load(self.b.add(begin, _i64(offset)), F32))
                self.b.store(self._fma(weights, value, self.b.load(slot)), slot)

    def _bytes_alone(self, at: Value, xs: Sequence[Value], sums: Sequence[Value]) -> None:
        """Without scales: who reads the sums knows those."""
        address = self._at(self.weights, at, COLUMNS)
        self._prefetch(address)
        weights = self.b.sitofp(self.b.sext(self._load(address, ir.VectorType(I8, 16)), INTS), FLOATS)
        self._add_products(weights, at, xs, sums)

    # Formats whose products are summed as integers, a group at a time.

    def _groups(self) -> None:
        sums = self._slots(INTS)
        xs = [self._row(self.x, self.x_stride, row) for row in range(self.rows)]
        sides = [self._row(self.sides, self.sides_stride, row) for row in range(self.rows)]
        group = {"int8": self._int8, "int4": self._int4}[self.kind.name]

        def one(index: Value) -> None:
            for side, slot in zip(sides, sums, strict=True):
                start = self._load(self.b.add(self._at(side, index, 8), _i64(4)), I32)
                self.b.store(self._splat(start) if self.isa.vnni and self.kind.offset else _ints(0), slot)
            group(index, xs, sums)
            for row, (side, slot) in enumerate(zip(sides, sums, strict=True)):
                self._add(row, self._scale(self._at(side, index, 8), index), self.b.load(slot))

        self._loop(self.b.sdiv(self.depth, _i64(self.kind.group)), one)

    def _add(self, row: int, scale: Value, found: Value) -> None:
        """Outputs lie in memory between groups: registers are for the sums of integers."""
        address = self._row(self.y, self.y_stride, row)
        self._put(self._fma(self.b.sitofp(found, FLOATS), scale, self._load(address, FLOATS)), address)

    def _scale(self, side: Value, index: Value) -> Value:
        scale = self._splat(self._load(side, F32))
        if self.kind.name == "int8":
            return scale
        halves = self._load(self._at(self.scales, index, 32), ir.VectorType(I16, 16), 2)
        return self.b.fmul(scale, self.b.bitcast(self.b.shl(self.b.zext(halves, INTS), _ints(16)), FLOATS))

    def _int8(self, index: Value, xs: Sequence[Value], sums: Sequence[Value]) -> None:
        steps = self.kind.group // self.kind.steps
        # LLVM adds the products of steps together first: weights of several leave no register for many sums.
        unroll = 4 if self.isa.vnni or self.rows < 3 else 1
        first = self.b.mul(index, _i64(steps))
        size = COLUMNS * self.kind.steps

        def four(block: Value) -> None:
            for u in range(unroll):
                at = self.b.add(first, self.b.add(self.b.mul(block, _i64(unroll)), _i64(u)))
                address = self._at(self.weights, at, size)
                if u * size % _LINE == 0:
                    self._prefetch(address)
                if self.isa.vnni:
                    self._bytes(self._load(address, INTS), xs, at, sums)
                else:
                    weights = self.b.sext(self._load(address, ir.VectorType(I8, 32)), WORDS)
                    self._words(weights, xs, at, sums)

        self._loop(_i64(steps // unroll), four)

    def _int4(self, index: Value, xs: Sequence[Value], sums: Sequence[Value]) -> None:
        def eight(line: Value) -> None:
            at = self._at(line, index, self.kind.group // 8)
            address = self._at(self.weights, at, _LINE)
            self._prefetch(address)
            packed = self._load(address, WORDS)
            for nibble in range(4):
                # Two shifts put a nibble at the top and bring it back with its sign.
                top = self.b.shl(packed, _words(12 - 4 * nibble))
                weights = self.b.ashr(top, _words(12))
                self._words(weights, xs, self.b.add(self.b.mul(at, _i64(4)), _i64(nibble)), sums)

        self._loop(_i64(self.kind.group // 8), eight)

    def _bytes(self, weights: Value, xs: Sequence[Value], at: Value, sums: Sequence[Value]) -> None:
        for x, slot in zip(xs, sums, strict=True):
            value = self._splat(self._load(self._at(x, at, 4), I32))
            values = [self.b.load(slot), weights, value]
            self.b.store(self._call("llvm.x86.avx512.vpdpbusd.512", INTS, values), slot)

    def _words(self, weights: Value, xs: Sequence[Value], at: Value, sums: Sequence[Value]) -> None:
        """Pairs of 16-bit numbers: multiplied, and the two products added."""
        for x, slot in zip(xs, sums, strict=True):
            value = self.b.bitcast(self._splat(self._load(self._at(x, at, 4), I32)), WORDS)
            self.b.store(self.b.add(self.b.load(slot), self._pairs(weights, value)), slot)

    def _pairs(self, a: Value, b: Value) -> Value:
        """LLVM knows these lines as the one instruction that processors have for them."""
        wide = ir.VectorType(I32, 32)
        products = self.b.mul(self.b.sext(a, wide), self.b.sext(b, wide))
        nothing = ir.Constant(wide, ir.Undefined)
        even, odd = (
            self.b.shuffle_vector(products, nothing, ir.Constant(INTS, list(range(i, 32, 2)))) for i in (0, 1)
        )
        return self.b.add(even, odd)


def _i32(value: int) -> Value:
    return ir.Constant(I32, value)


def _i64(value: int) -> Value:
    return ir.Constant(I64, value)


def _ints(value: int) -> Value:
    return ir.Constant(INTS, [value] * 16)


def _words(value: int) -> Value:
    return ir.Constant(WORDS, [value] * 32)
