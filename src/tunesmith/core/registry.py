"""Named components, found lazily, whose keyword-only arguments are their settings.

A registry is a table of `name -> "module:object"`. Nothing is imported until a name is asked for, and
nothing registers itself at import. Other packages add names through entry points of the registry's group;
a user's own component is named directly as `module:object`.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.core.durable import sha256
from tunesmith.core.errors import NotFoundError, RecipeError

if TYPE_CHECKING:
    from pydantic import BaseModel


class Registry:
    """One extension point: a noun for messages, an entry-point group, and the built-in names."""

    def __init__(self, noun: str, group: str, builtin: Mapping[str, str]) -> None:
        self.noun = noun
        self.group = group
        self._builtin = dict(builtin)

    @property
    def builtin(self) -> frozenset[str]:
        """The names that come with Tunesmith."""
        return frozenset(self._builtin)

    def names(self) -> list[str]:
        """All known names, sorted."""
        return sorted({*self._builtin, *(point.name for point in entry_points(group=self.group))})

    def identity(self, name: str) -> str:
        """What decides how the component called `name` works, beside its settings.

        Empty for what is built in; else the version of the package that adds it, or the sha256 of a file.
        """
        if name in self._builtin:
            return ""
        for point in entry_points(group=self.group, name=name):
            return f"{point.value} {point.dist.version if point.dist else ''}"
        return _file_digest(name)

    def get(self, name: str) -> Callable[..., Any]:
        """The component called `name`, or the object `module:object`.

        Raises:
            RecipeError: R06 when nothing has that name, with what exists and what may be meant.
        """
        if target := self._builtin.get(name):
            return load_object(target)
        for point in entry_points(group=self.group, name=name):
            found: Callable[..., Any] = point.load()
            return found
        if ":" in name:
            return load_object(name)
        raise RecipeError("R06", noun=self.noun, name=name, **suggestion(name, self.names()))


def _file_digest(name: str) -> str:
    file = getattr(sys.modules.get(name.partition(":")[0]), "__file__", None)
    return sha256(Path(file)) if file else ""


# Names that a sentence lists, and how many of more than these.
_MANY, _LIKEST = 24, 8


def suggestion(name: str, known: list[str]) -> dict[str, Any]:
    """Values for a sentence about an unknown name: what exists, and the closest as a question.

    What is neither alike nor holds the name is not asked about. Of very many the likest are told.
    """
    close = get_close_matches(name, known, 1) or [other for other in known if name.lower() in other.lower()]
    shown = known if len(known) <= _MANY else [*get_close_matches(name, known, _LIKEST, 0.0), "…"]
    return {"known": ", ".join(shown) or "-", "close": close[0] if close else ""}


def load_object(target: str) -> Callable[..., Any]:
    """Import `module:object`.

    Raises:
        RecipeError: R07 when the module or the object does not exist.
    """
    module, _, name = target.partition(":")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise RecipeError("R07", target=target, reason=str(error)) from error
    return found


def load_code(path: Path) -> None:
    """Import a user's file (`--code my.py`) so that `my:thing` can be named in a recipe.

    Raises:
        NotFoundError: C01 when the file does not exist.
        RecipeError: R07 when it is not Python, raises, or has the name of another module.
    """
    if not path.is_file():
        raise NotFoundError("C01", file=path)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise RecipeError("R07", file=path, target=str(path), reason="not a Python file")
    if (other := _other_module(path)) is not None:
        reason = f"there is already a module {path.stem} ({other}); give the file another name"
        raise RecipeError("R07", file=path, target=str(path), reason=reason)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        # The user's own code may raise anything; SystemExit would end the command without a word.
        sys.modules.pop(path.stem, None)
        reason = f"{type(error).__name__}: {error}"
        line = _line_in(path, error)
        raise RecipeError("R07", file=path, line=line, target=str(path), reason=reason) from error


def _other_module(path: Path) -> str | None:
    """Where the module comes from that `path.stem` already names, if that is not `path` itself."""
    try:
        spec = importlib.util.find_spec(path.stem)
    except ImportError:
        return None
    except ValueError:
        return "loaded without a file"
    if spec is None or (spec.has_location and spec.origin and Path(spec.origin).resolve() == path.resolve()):
        return None
    return spec.origin or "a package"


def _line_in(path: Path, error: BaseException) -> int | None:
    """The line of `path` at which `error` was raised, or which is not Python."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    return lines[-1] if lines else None


def settings_of(component: Callable[..., Any], *, without: Sequence[str] = ()) -> type[BaseModel]:
    """The keyword-only arguments of a component, except some, as a strict pydantic model.

    Only those annotations are evaluated, so positional arguments may name types of libraries that are not
    imported yet.
    """
    from pydantic import ConfigDict, create_model

    module = sys.modules[component.__module__]
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(component).parameters.values():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY or parameter.name in without:
            continue
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[parameter.name] = (_evaluate(parameter.annotation, module), default)
    name: str = getattr(component, "__name__", "settings")
    config = ConfigDict(extra="forbid", frozen=True)
    return create_model(name, __config__=config, **fields)


def _evaluate(annotation: Any, module: Any) -> Any:
    if annotation is inspect.Parameter.empty:
        return Any
    if not isinstance(annotation, str):
        return annotation
    holder = type("holder", (), {"__annotations__": {"it": annotation}, "__module__": module.__name__})
    return inspect.get_annotations(holder, eval_str=True)["it"]
