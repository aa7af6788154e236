"""The Jinja environment for templates of unknown authors: no reach outside, no unbounded work.

It renders what `transformers` renders, its extra functions included. Every block, call, filter and operator
pays into the meter of the rendering. Missing are the functions that only serve to make much of little.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from jinja2 import TemplateError, nodes, pass_context
from jinja2.compiler import CodeGenerator
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedFormatter
from jinja2.utils import Namespace

from tunesmith.models.meter import TooMuchError, running

_MAX_RANGE = 100_000
_FILTERS = (
    "abs", "attr", "capitalize", "center", "count", "d", "default", "dictsort", "e", "escape", "first",
    "float", "format", "groupby", "indent", "int", "items", "join", "last", "length", "list", "lower", "map",
    "max", "min", "reject", "rejectattr", "replace", "reverse", "round", "safe", "select", "selectattr",
    "sort", "string", "sum", "title", "tojson", "trim", "truncate", "unique", "upper", "wordcount",
)  # fmt: skip
# These give an iterator over what they are given, and pay when it is read.
_LAZY = ("items", "map", "reject", "rejectattr", "reverse", "select", "selectattr", "unique")
# Text methods that make much of little in ways that are not worth holding to a size.
_NO_METHODS = ("encode", "expandtabs", "format_map", "maketrans", "translate")


class Environment(ImmutableSandboxedEnvironment):
    """A sandbox in which everything that a template does is paid for."""

    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))

    def __init__(self) -> None:
        # Unoptimized: folding constants would carry out their operations while the template is compiled.
        super().__init__(
            trim_blocks=True, lstrip_blocks=True, optimized=False, finalize=_shown,
            extensions=["jinja2.ext.loopcontrols", Generation],
        )  # fmt: skip
        self.code_generator_class = _Metered
        self.globals = {
            "range": _range, "dict": _dict, "namespace": _Variables, "raise_exception": _raise_exception,
        }  # fmt: skip
        # Jinja's own `tojson` writes for web pages, with `<` as `\u003c`.
        own: dict[str, Callable[..., Any]] = {"tojson": _tojson, "join": _join, "string": _string}
        found = {name: own.get(name, self.filters[name]) for name in _FILTERS}
        self.filters = {name: _paying(name, function) for name, function in found.items()}
        tests: Any = self.tests
        self.tests = {name: _paying(name, function) for name, function in tests.items()}

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Text keeps the methods that are worth having, numbers have none."""
        refused = (isinstance(obj, str) and attr in _NO_METHODS) or isinstance(obj, int | float | bytes)
        return not refused and super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """`str.format` with fields that pay."""
        text = getattr(value, "__self__", None)
        if getattr(value, "__name__", "") != "format" or not isinstance(text, str):
            return None
        formatter = _Formatter(self)
        return lambda *args, **kwargs: formatter.vformat(text, args, kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """An operator whose result has paid."""
        running().operate(operator, left, right)
        return running().weigh(super().call_binop(context, operator, left, right))

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        """A call whose arguments and result have paid."""
        meter = running()
        meter.weigh((args, kwargs))
        text = getattr(__obj, "__self__", None)
        if isinstance(text, str):
            name = __obj.__name__
            if name == "join":
                return meter.join(text, list(args[0]))
            if name == "replace":
                meter.replaced(text, *args[:2])
            elif name not in ("find", "rfind", "index", "rindex", "count", "startswith", "endswith"):
                meter.wide(*args)
        return meter.weigh(super().call(__context, __obj, *args, **kwargs))

    def tick(self, steps: int) -> bool:
        """What compiled templates call before each block."""
        return running().tick(steps)

    def weigh(self, value: Any) -> Any:
        """What compiled templates put around values that they make or compare."""
        return running().weigh(value)

    def concat_all(self, values: tuple[Any, ...]) -> str:
        """What `~` compiles to."""
        return running().join("", values)


class _Metered(CodeGenerator):
    """Compiles templates to code that pays for its blocks, and for values made without a call."""

    def blockvisit(self, body: Iterable[nodes.Node], frame: Any) -> None:
        """A block, after its price."""
        found = list(body)
        self.writeline(f"environment.tick({sum(map(price, found)) + 1})")
        super().blockvisit(found, frame)

    def visit_For(self, node: nodes.For, frame: Any) -> None:  # noqa: N802
        """A loop whose condition pays for every item that it looks at."""
        if node.test is not None:
            steps = nodes.Const(price(node.test) + 1)
            ticked = nodes.Call(nodes.EnvironmentAttribute("tick"), [steps], [], None, None)
            node.test = nodes.And(ticked, node.test).set_lineno(node.lineno)
        super().visit_For(node, frame)

    def _weighed(self, visit: Callable[..., None], node: nodes.Node, frame: Any) -> None:
        self.write("environment.weigh(")
        visit(node, frame)
        self.write(")")

    def visit_Getitem(self, node: nodes.Getitem, frame: Any) -> None:  # noqa: N802
        """An item; a slice is a new value."""
        if isinstance(node.arg, nodes.Slice):
            self._weighed(super().visit_Getitem, node, frame)
        else:
            super().visit_Getitem(node, frame)

    def visit_List(self, node: nodes.List, frame: Any) -> None:  # noqa: N802
        """A list, which contains what it is made of."""
        self._weighed(super().visit_List, node, frame)

    def visit_Dict(self, node: nodes.Dict, frame: Any) -> None:  # noqa: N802
        """A mapping."""
        self._weighed(super().visit_Dict, node, frame)

    def visit_Tuple(self, node: nodes.Tuple, frame: Any) -> None:  # noqa: N802
        """A tuple; one that is assigned to is none."""
        visit = super().visit_Tuple
        visit(node, frame) if node.ctx == "store" else self._weighed(visit, node, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Any) -> None:  # noqa: N802
        """Texts put together by `~`."""
        self.write("environment.concat_all((")
        for item in node.nodes:
            self.visit(item, frame)
            self.write(", ")
        self.write("))")

    def visit_Compare(self, node: nodes.Compare, frame: Any) -> None:  # noqa: N802
        """A comparison, which may have to read all of both sides."""
        self.write("(")
        self._weighed(self.visit, node.expr, frame)
        for operand in node.ops:
            self.visit(operand, frame)
        self.write(")")

    def visit_Operand(self, node: nodes.Operand, frame: Any) -> None:  # noqa: N802
        """The other side of a comparison."""
        operators = {"eq": "==", "ne": "!=", "gt": ">", "gteq": ">=", "lt": "<", "lteq": "<="}
        self.write(f" {operators.get(node.op) or {'in': 'in', 'notin': 'not in'}[node.op]} ")
        self._weighed(self.visit, node.expr, frame)


class Generation(Extension):
    """`{% generation %}`, with which templates of `transformers` mark answers: what is in it, as it is."""

    tags = {"generation"}  # noqa: RUF012  as Jinja declares it

    def parse(self, parser: Parser) -> nodes.Node:
        """The block between the tags, with variables of its own."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body).set_lineno(line)


def price(node: nodes.Node) -> int:
    """How many nodes a part of a template has, and its text."""
    text = len(node.data) // 8 if isinstance(node, nodes.TemplateData) else 0
    return 1 + text + sum(map(price, node.iter_child_nodes()))


@pass_context
def _shown(_context: Context, value: Any) -> str:
    """What stands for a value in the text. With the context Jinja does not do this while compiling."""
    return running().text(value)


class _Variables(Namespace):
    """A `namespace` that may hold itself, and shows nothing of what it holds."""

    def __init__(*args: Any, **kwargs: Any) -> None:
        for name in dict(*args[1:], **kwargs):
            _check_name(name)
        Namespace.__init__(*args, **kwargs)

    def __setitem__(self, name: str, value: Any) -> None:
        _check_name(name)
        super().__setitem__(name, value)

    def __repr__(self) -> str:
        return "<Namespace>"


def _check_name(name: str) -> None:
    if name.startswith("_"):
        raise SecurityError(f"a namespace cannot hold {name!r}")


class _Formatter(SandboxedFormatter):
    """Formats fields that have paid, to moderate widths."""

    def convert_field(self, value: Any, conversion: Any) -> Any:
        return super().convert_field(running().weigh(value), conversion)

    def format_field(self, value: Any, format_spec: str) -> Any:
        running().formatted(format_spec, ())
        return running().weigh(super().format_field(running().weigh(value), format_spec))


def _paying(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter or test whose arguments and result have paid."""

    @wraps(function)
    def run(*given: Any, **settings: Any) -> Any:
        meter = running()
        args = given if name in _LAZY else tuple(map(meter.listed, given))
        meter.weigh((args, settings))
        if name in _HELD:
            _HELD[name](args, settings)
        return meter.weigh(function(*args, **settings))

    return run


def _hold_replace(args: Any, settings: Mapping[str, Any]) -> None:
    running().replaced(*(str(value) for value in (*args, *settings.values())[1:4]))


def _hold_indent(args: Any, settings: Mapping[str, Any]) -> None:
    running().wide(*args[1:], *settings.values())
    width = settings.get("width", args[1] if len(args) > 1 else 4)
    text = str(args[0])
    running().hold(len(text) + (text.count("\n") + 1) * (len(width) if isinstance(width, str) else width))


def _hold_sum(args: Any, settings: Mapping[str, Any]) -> None:
    # Adding lists up copies them again and again.
    if not isinstance(settings.get("start", args[3] if len(args) > 3 else 0), int | float):
        raise TooMuchError("it adds up lists")


_HELD: dict[str, Callable[[Any, Mapping[str, Any]], None]] = {
    "center": lambda args, settings: running().wide(*args[1:], *settings.values()),
    "format": lambda args, settings: running().formatted(str(args[0]), (args[1:], settings)),
    "indent": _hold_indent,
    "replace": _hold_replace,
    "round": lambda args, settings: running().wide(*args[1:], *settings.values()),
    "sum": _hold_sum,
}


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """JSON as `transformers` writes it for templates."""
    if indent is not None or separators is not None:
        step = len(indent) if isinstance(indent, str) else indent or 0
        padding = step * _depth(value) + sum(map(len, separators or ()))
        running().hold(running().weight(value) * padding)
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def _depth(value: Any) -> int:
    if isinstance(value, Mapping):
        value = list(value.values())
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list | tuple) else 0


@pass_context
def _join(context: Context, value: Any, d: Any = "", attribute: Any = None) -> str:
    if attribute is not None:
        value = context.environment.call_filter(
            "map", value, kwargs={"attribute": attribute}, context=context
        )
    return running().join(d, list(value))


def _string(value: Any) -> str:
    return running().text(value)


def _dict(*given: Any, **items: Any) -> dict[Any, Any]:
    return dict(*given, **items)


def _range(*bounds: int) -> range:
    made = range(*bounds)
    if len(made) > _MAX_RANGE:
        raise TooMuchError("it counts too far")
    return made


def _raise_exception(message: str) -> None:
    raise TemplateError(message)
