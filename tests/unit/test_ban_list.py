"""What the code base must not contain, proven over its syntax trees; and that the proof finds it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import tunesmith

ROOT = Path(str(tunesmith.__file__)).parent
SOURCES = sorted(ROOT.rglob("*.py"))

MODULES = {
    "pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib", "telnetlib", "ftplib",
    "requests", "urllib3", "yaml", "commands", "pty", "xmlrpc", "mako",
}  # fmt: skip
# Fetching is the hub library's and httpx's business; parsing an address is allowed.
URLLIB = {"urllib.parse"}
CALLS = {
    "torch.load", "torch.save", "torch.hub.load", "torch.jit.load", "numpy.load", "np.load", "os.system",
    "os.popen", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "jinja2.Environment", "jinja2.Template",
    "builtins.eval", "builtins.exec", "builtins.compile", "tempfile.mktemp",
}  # fmt: skip
BARE = {"eval", "exec", "compile", "__import__", "Environment", "Template", "input"}
QUERIES = {"execute", "exec_driver_sql", "executemany", "executescript", "text"}
ANYWHERE = {"0.0.0.0", "::", "[::]"}  # noqa: S104
# `PRAGMA` takes no parameters; its names and values are constants of this module.
ALLOWED = {("core/store/sqlite.py", "a query is put together from strings")}


def offences(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every line that does what is banned, with what it does."""
    imported = _imported(tree)
    for node in ast.walk(tree):
        for found in (*_imports(node), *_calls(node, imported), *_statements(node), *_defaults(node)):
            yield getattr(node, "lineno", 0), found


def _imported(tree: ast.AST) -> dict[str, str]:
    """The full names behind the names that imports bind."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.asname: a.name for a in node.names if a.asname}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return names


def _imports(node: ast.AST) -> Iterator[str]:
    names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
    if isinstance(node, ast.ImportFrom) and node.module:
        names = [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
    for name in names:
        top = name.partition(".")[0]
        if top in MODULES:
            yield f"imports {top}"
        elif top == "urllib" and not any(name == ok or name.startswith(f"{ok}.") for ok in URLLIB):
            yield "imports urllib"


def _dotted(node: ast.expr, imported: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return imported.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, imported)}.{node.attr}"
    return ""


def _calls(node: ast.AST, imported: dict[str, str]) -> Iterator[str]:
    if not isinstance(node, ast.Call):
        return
    name = _dotted(node.func, imported)
    if name in CALLS or (isinstance(node.func, ast.Name) and name in BARE):
        yield f"calls {name}"
    if name.rpartition(".")[2] in QUERIES and node.args and _is_built(node.args[0]):
        yield "a query is put together from strings"
    for keyword in node.keywords:
        yield from _keyword(keyword)


def _keyword(keyword: ast.keyword) -> Iterator[str]:
    constant = keyword.value.value if isinstance(keyword.value, ast.Constant) else ...
    if keyword.arg == "shell" and constant is not False:
        yield "a shell"
    if keyword.arg == "trust_remote_code" and constant is not False:
        yield "remote code"
    if keyword.arg == "allow_pickle" and constant is not False:
        yield "pickles"
    if keyword.arg == "verify" and constant is False:
        yield "unverified TLS"


def _is_built(node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp):
        parts = (node.left, node.right)
        return any(isinstance(part, ast.JoinedStr) or _is_text(part) for part in parts)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _statements(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Assert):
        yield "assert as a check"
    if isinstance(node, ast.ExceptHandler):
        silent = all(isinstance(line, ast.Pass) for line in node.body)
        if node.type is None or (silent and _dotted(node.type, {}) in ("Exception", "BaseException")):
            yield "swallows every error"


def _defaults(node: ast.AST) -> Iterator[str]:
    defaults: list[ast.expr | None] = []
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        defaults = [*node.args.defaults, *node.args.kw_defaults]
    elif isinstance(node, ast.AnnAssign | ast.Assign) or (
        isinstance(node, ast.keyword) and node.arg in ("default", "host")
    ):
        defaults = [node.value]
    if any(isinstance(default, ast.Constant) and default.value in ANYWHERE for default in defaults):
        yield "listens to everyone by default"


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_source_contains_nothing_that_is_banned(source: Path) -> None:
    name = source.relative_to(ROOT).as_posix()
    found = offences(ast.parse(source.read_text("utf-8")))
    assert [(line, what) for line, what in found if (name, what) not in ALLOWED] == []


BANNED = {
    "import pickle": "imports pickle",
    "from joblib import load": "imports joblib",
    "import marshal as m": "imports marshal",
    "import urllib.request": "imports urllib",
    "from urllib import request": "imports urllib",
    "import requests": "imports requests",
    "import torch\ntorch.load('x')": "calls torch.load",
    "from torch import load\nload('x')": "calls torch.load",
    "import torch as t\nt.load('x')": "calls torch.load",
    "eval('1')": "calls eval",
    "exec('1')": "calls exec",
    "compile('1', '', 'eval')": "calls compile",
    "import os\nos.system('x')": "calls os.system",
    "from os import system as s\ns('x')": "calls os.system",
    "import jinja2\njinja2.Template('x')": "calls jinja2.Template",
    "from jinja2 import Environment\nEnvironment()": "calls jinja2.Environment",
    "run('x', shell=True)": "a shell",
    "run('x', shell=flag)": "a shell",
    "load('x', trust_remote_code=True)": "remote code",
    "load('x', trust_remote_code=wanted)": "remote code",
    "assert x": "assert as a check",
    "def serve(host='0.0.0.0'): ...": "listens to everyone by default",
    "def serve(*, host: str = '0.0.0.0'): ...": "listens to everyone by default",
    "HOST = '0.0.0.0'": "listens to everyone by default",
    "add_argument('--host', default='0.0.0.0')": "listens to everyone by default",
    "db.execute(f'select {x}')": "a query is put together from strings",
    "db.execute('select ' + x)": "a query is put together from strings",
    "db.execute('select %s' % x)": "a query is put together from strings",
    "db.execute('select {}'.format(x))": "a query is put together from strings",
    "try: x\nexcept: y": "swallows every error",
    "try: x\nexcept Exception: pass": "swallows every error",
}


@pytest.mark.parametrize(("code", "what"), BANNED.items(), ids=BANNED)
def test_what_is_banned_is_found(code: str, what: str) -> None:
    assert what in [found for _, found in offences(ast.parse(code))]


@pytest.mark.parametrize(
    "code",
    [
        "import re\nre.compile('x')",
        "model.eval()",
        "from urllib.parse import urlsplit",
        "import jinja2.sandbox as s\ns.ImmutableSandboxedEnvironment()",
        "load('x', trust_remote_code=False)",
        "def serve(host='127.0.0.1'): ...",
        "if host in ('0.0.0.0',): raise ValueError",
        "db.execute(table.insert())",
        "from safetensors.torch import load_file\nload_file('x')",
        "json.load(file)",
    ],
)
def test_what_is_not_banned_is_left_alone(code: str) -> None:
    assert list(offences(ast.parse(code))) == []
