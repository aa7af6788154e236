"""A compiler for the little Python in which a step is written: whole numbers, float32, loops and calls.

Functions that are marked as `compiled` take and return `int` (64 bits), `float` (32 bits) and `bool`. They
may call each other, the functions of `intrinsics`, and `min`, `max`, `abs`, `int` and `float`; names outside
of them are functions or constants. Division is of numbers that are not negative. Numba would compile the same
in half a minute where this takes a second: here is nothing to be found out about types.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from llvmlite import ir

Value: TypeAlias = Any  # llvmlite says nothing of its types
F = TypeVar("F", bound=Callable[..., Any])
Emitter = Callable[[Value, Sequence[Value]], Value]  # a builder and arguments to a result

I1, I64, F32 = ir.IntType(1), ir.IntType(64), ir.FloatType()
_TYPES = {"int": I64, "bool": I64, "float": F32, "None": ir.VoidType()}
_FUSED = ("contract",)
_ANY_ORDER = ("contract", "reassoc", "nsz", "nnan")
_WHOLE = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.FloorDiv: "sdiv", ast.Mod: "srem",
    ast.LShift: "shl", ast.RShift: "ashr", ast.BitAnd: "and_", ast.BitOr: "or_",
}  # fmt: skip
_REAL = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}
_COMPARED = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}


@dataclass(frozen=True, slots=True)
class _Marked:
    """How a function becomes code."""

    flags: tuple[str, ...] = ()
    emit: Emitter | None = None


_MARKED: dict[Callable[..., Any], _Marked] = {}


def compiled(function: F) -> F:
    """A function that becomes code; products may be fused with sums, nothing else is put in another order."""
    _MARKED[function] = _Marked(_FUSED)
    return function


def reordered(function: F) -> F:
    """The same, and sums may be taken in another order: the same one at every call."""
    _MARKED[function] = _Marked(_ANY_ORDER)
    return function


def intrinsic(emit: Emitter) -> Callable[[F], F]:
    """A function whose calls are replaced by what `emit` writes."""

    def mark(function: F) -> F:
        _MARKED[function] = _Marked(emit=emit)
        return function

    return mark


def module(entries: Iterable[Callable[..., Any]]) -> str:
    """LLVM code of functions and all that they call; `entries` are to be called from outside."""
    made = ir.Module(name="step")
    known: dict[Callable[..., Any], Value] = {}
    for function in entries:
        _declared(function, made, known).linkage = ""
    done = 0
    while done < len(known):  # what a body calls is appended
        function, value = list(known.items())[done]
        _Body(function, value, known).emit()
        done += 1
    return str(made)


def signature(function: Callable[..., Any]) -> list[str]:
    """The names of the types of a function's arguments, and of its result behind them."""
    found = inspect.get_annotations(function)
    names = [*inspect.signature(function).parameters, "return"]
    return [str(found[name]) for name in names]


def _declared(function: Callable[..., Any], made: Value, known: dict[Callable[..., Any], Value]) -> Value:
    if function not in known:
        *taken, given = (_TYPES[name] for name in signature(function))
        known[function] = ir.Function(made, ir.FunctionType(given, taken), function.__name__)
        known[function].linkage = "internal"
    return known[function]


class _Body:
    """The code of one function."""

    def __init__(
        self, function: Callable[..., Any], value: Value, known: dict[Callable[..., Any], Value]
    ) -> None:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
        if not isinstance(tree, ast.FunctionDef):
            raise TypeError(function)
        self._tree, self._value, self._known = tree, value, known
        self._flags = _MARKED[function].flags
        self._globals: dict[str, Any] = getattr(function, "__globals__", {})
        self._start = value.append_basic_block("variables")
        self.b = ir.IRBuilder(value.append_basic_block("begin"))
        self._variables: dict[str, Value] = {}

    def emit(self) -> None:
        """Write the whole body."""
        begin = self.b.block
        for argument, given in zip(self._tree.args.args, self._value.args, strict=True):
            self._assign(argument.arg, given)
        self._block(self._tree.body)
        if not self.b.block.is_terminated:
            self.b.ret_void() if self._returns == ir.VoidType() else self.b.unreachable()
        ir.IRBuilder(self._start).branch(begin)

    @property
    def _returns(self) -> Value:
        return self._value.function_type.return_type

    # Statements.

    def _block(self, body: Sequence[ast.stmt]) -> None:
        for statement in body:
            if self.b.block.is_terminated:
                return
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Expr(ast.Constant()):
                pass  # a docstring
            case ast.Expr(value):
                self._value_of(value)
            case ast.Assign([target], value):
                self._targets(target, value)
            case ast.AugAssign(ast.Name(name), op, value):
                self._assign(name, self._operate(op, self._read(name), self._value_of(value)))
            case ast.Return(value):
                self._return(value)
            case ast.If(test, body, orelse):
                self._if(test, body, orelse)
            case ast.While(test, body):
                self._while(lambda: self._truth(test), body, lambda: None)
            case ast.For(ast.Name(name), ast.Call(ast.Name("range"), bounds), body):
                self._for(name, [self._value_of(bound) for bound in bounds], body)
            case _:
                raise SyntaxError(ast.unparse(node))

    def _targets(self, target: ast.expr, value: ast.expr) -> None:
        match target, value:
            case ast.Name(name), _:
                self._assign(name, self._value_of(value))
            case ast.Tuple(names), ast.Tuple(values):
                # All values first: names may be exchanged.
                found = [self._value_of(v) for v in values]
                for each, one in zip(names, found, strict=True):
                    self._assign(ast.unparse(each), one)
            case _:
                raise SyntaxError(ast.unparse(target))

    def _return(self, value: ast.expr | None) -> None:
        if value is None:
            self.b.ret_void()
        else:
            self.b.ret(self._widened(self._value_of(value)))

    def _if(self, test: ast.expr, body: Sequence[ast.stmt], orelse: Sequence[ast.stmt]) -> None:
        then, other, after = (self._value.append_basic_block(n) for n in ("then", "else", "after"))
        self.b.cbranch(self._truth(test), then, other)
        for block, statements in ((then, body), (other, orelse)):
            self.b.position_at_end(block)
            self._block(statements)
            self._go(after)
        self.b.position_at_end(after)

    def _go(self, block: Value) -> None:
        if not self.b.block.is_terminated:
            self.b.branch(block)

    def _for(self, name: str, bounds: Sequence[Value], body: Sequence[ast.stmt]) -> None:
        first, end, step = [[_whole(0), *bounds, _whole(1)], [*bounds, _whole(1)], bounds][len(bounds) - 1]
        counter = self._variable(I64)
        self.b.store(first, counter)

        def test() -> Value:
            self._assign(name, self.b.load(counter))
            return self.b.icmp_signed("<", self.b.load(counter), end)

        self._while(test, body, lambda: self.b.store(self.b.add(self.b.load(counter), step), counter))

    def _while(self, test: Callable[[], Value], body: Sequence[ast.stmt], then: Callable[[], Any]) -> None:
        head, inside, after = (self._value.append_basic_block(n) for n in ("head", "inside", "after"))
        self.b.branch(head)
        self.b.position_at_end(head)
        self.b.cbranch(test(), inside, after)
        self.b.position_at_end(inside)
        self._block(body)
        if not self.b.block.is_terminated:
            then()
            self.b.branch(head)
        self.b.position_at_end(after)

    # Variables.

    def _variable(self, kind: Value) -> Value:
        return ir.IRBuilder(self._start).alloca(kind)

    def _assign(self, name: str, value: Value) -> None:
        value = self._widened(value)
        if name not in self._variables:
            self._variables[name] = self._variable(value.type)
        self.b.store(value, self._variables[name])

    def _read(self, name: str) -> Value:
        if name in self._variables:
            return self.b.load(self._variables[name])
        return _constant(self._globals[name])

    # Expressions.

    def _value_of(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value):
                return _constant(value)
            case ast.Name(name):
                return self._read(name)
            case ast.Attribute(ast.Name(owner), name):
                return _constant(getattr(self._globals[owner], name))
            case ast.BinOp(left, op, right):
                return self._operate(op, self._value_of(left), self._value_of(right))
            case ast.UnaryOp(op, operand):
                return self._unary(op, operand)
            case ast.Compare(left, [op], [right]):
                return self._compare(_COMPARED[type(op)], self._value_of(left), self._value_of(right))
            case ast.BoolOp(op, values):
                return self._together(op, [self._truth(value) for value in values])
            case ast.IfExp():
                return self._either(node)
            case ast.Call(ast.Name(name), args):
                return self._call(name, args)
        raise SyntaxError(ast.unparse(node))

    def _operate(self, op: ast.operator, a: Value, b: Value) -> Value:
        a, b = self._widened(a), self._widened(b)
        if a.type == F32:
            return getattr(self.b, _REAL[type(op)])(a, b, flags=self._flags)
        return getattr(self.b, _WHOLE[type(op)])(a, b)

    def _compare(self, how: str, a: Value, b: Value) -> Value:
        if a.type == F32:
            return self.b.fcmp_ordered(how, a, b, flags=self._flags)
        return self.b.icmp_signed(how, self._widened(a), self._widened(b))

    def _together(self, op: ast.boolop, values: Sequence[Value]) -> Value:
        """All values are computed: none of them does anything."""
        found = values[0]
        for value in values[1:]:
            found = self.b.and_(found, value) if isinstance(op, ast.And) else self.b.or_(found, value)
        return found

    def _choose(self, test: Value, a: Value, b: Value) -> Value:
        flags = self._flags if a.type == F32 else ()
        return self.b.select(test, self._widened(a), self._widened(b), flags=flags)

    def _unary(self, op: ast.unaryop, operand: ast.expr) -> Value:
        if isinstance(op, ast.Not):
            return self.b.not_(self._truth(operand))
        value = self._value_of(operand)
        return self.b.fneg(value, flags=self._flags) if value.type == F32 else self.b.neg(value)

    def _either(self, node: ast.IfExp) -> Value:
        """Only one of two values is computed."""
        then, other, after = (self._value.append_basic_block(n) for n in ("one", "other", "chosen"))
        self.b.cbranch(self._truth(node.test), then, other)
        found: list[tuple[Value, Value]] = []
        for block, part in ((then, node.body), (other, node.orelse)):
            self.b.position_at_end(block)
            found.append((self._widened(self._value_of(part)), self.b.block))
            self.b.branch(after)
        self.b.position_at_end(after)
        chosen = self.b.phi(found[0][0].type)
        for value, block in found:
            chosen.add_incoming(value, block)
        return chosen

    def _call(self, name: str, nodes: Sequence[ast.expr]) -> Value:
        if name in ("min", "max"):
            a, b = (self._widened(self._value_of(node)) for node in nodes)
            return self._choose(self._compare("<" if name == "min" else ">", a, b), a, b)
        # The arguments of a kernel are given as one tuple.
        flat = [n for node in nodes for n in (node.elts if isinstance(node, ast.Tuple) else [node])]
        values = [self._widened(self._value_of(node)) for node in flat]
        if name in _CASTS:
            return _CASTS[name](self.b, values[0])
        function = self._globals[name]
        if emit := _MARKED[function].emit:
            return emit(self.b, values)
        return self.b.call(_declared(function, self._value.module, self._known), values)

    def _truth(self, node: ast.expr) -> Value:
        value = self._value_of(node)
        return value if value.type == I1 else self.b.icmp_signed("!=", value, _whole(0))

    def _widened(self, value: Value) -> Value:
        """Truth values are numbers wherever they are kept."""
        return self.b.zext(value, I64) if value.type == I1 else value


def _whole(value: int) -> Value:
    return ir.Constant(I64, value)


def _constant(value: object) -> Value:
    if isinstance(value, float):
        return ir.Constant(F32, value)
    if isinstance(value, int):
        return _whole(int(value))
    raise TypeError(value)


def _to_whole(b: Value, value: Value) -> Value:
    return value if value.type == I64 else b.sext(b.fptosi(value, ir.IntType(32)), I64)


def _to_real(b: Value, value: Value) -> Value:
    return value if value.type == F32 else b.sitofp(value, F32)


def _absolute(b: Value, value: Value) -> Value:
    return external(b, "llvm.fabs.f32", F32, [value])


_CASTS: dict[str, Callable[[Value, Value], Value]] = {"int": _to_whole, "float": _to_real, "abs": _absolute}


def external(b: Value, name: str, result: Value, values: Sequence[Value]) -> Value:
    """A call of a function of LLVM or of the system."""
    kind = ir.FunctionType(result, [value.type for value in values])
    return b.call(b.module.globals.get(name) or ir.Function(b.module, kind, name), values)
