"""Code of the user's own: where the `module:object` of a recipe, or the class of a saved model, is found.

A recipe's code is the user's and is run. A saved model only names its code: that is run when it was loaded
already (`--code`) or is installed, has the bytes it had then, and does not lie in the model's folder.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.core.durable import sha256
from tunesmith.core.errors import ModelError, RecipeError
from tunesmith.core.registry import load_code, load_object, settings_of

if TYPE_CHECKING:
    from pydantic import BaseModel

GIVEN = ("vocab", "vocab_size", "context", "max_position_embeddings")
"""What a class is given beside its settings, under either of two names."""


def reference(code: str) -> str:
    """`module:Class` of what a recipe names so, or as `path/to/module.py:Class`."""
    module, _, name = code.rpartition(":")
    return f"{Path(module).stem if module.endswith('.py') else module}:{name}"


def load(code: str, folder: Path) -> Any:
    """What a recipe in `folder` names; its file may lie beside the recipe.

    Raises:
        RecipeError: R07 when it does not exist or cannot be imported.
    """
    module = code.rpartition(":")[0]
    file = folder / (module if module.endswith(".py") else f"{module}.py")
    name = reference(code)
    if module.endswith(".py") and not file.is_file():
        raise RecipeError("R07", target=code, reason=f"there is no file {file}")
    if module.endswith(".py") or (file.is_file() and name.partition(":")[0] not in sys.modules):
        loaded = getattr(sys.modules.get(file.stem), "__file__", None)
        if loaded is None or Path(loaded).resolve() != file.resolve():
            load_code(file)
    return load_object(name)


def find(code: str, folder: Path) -> type[Any]:
    """The class that a recipe in `folder` names.

    Raises:
        RecipeError: as `load`.
        ModelError: M43 when it is no class.
    """
    found = load(code, folder)
    if not isinstance(found, type):
        raise ModelError("M43", target=reference(code), found=type(found).__name__)
    return found


def maker(found: type[Any]) -> Any:
    """Whose signature has a class's settings: a PreTrainedModel is made of its configuration."""
    return getattr(found, "config_class", None) or found


def schema(found: type[Any]) -> type[BaseModel]:
    """The settings of a class, without what it is GIVEN.

    Those of a configuration are any of its arguments; it looks at their values itself.
    """
    if (made_of := maker(found)) is found:
        return settings_of(found, without=GIVEN)
    from pydantic import ConfigDict, create_model

    common = next(c for c in made_of.__mro__ if c.__module__.startswith("transformers.configuration"))
    inherited = {*inspect.signature(common).parameters, *GIVEN}
    fields: dict[str, Any] = {
        name: (Any, ...) if parameter.default is parameter.empty else (Any, None)
        for name, parameter in inspect.signature(made_of).parameters.items()
        if name not in inherited and parameter.kind is not parameter.VAR_KEYWORD
    }
    return create_model(made_of.__name__, __config__=ConfigDict(extra="forbid"), **fields)


def source_file(name: str) -> Path:
    """The file of a class that was loaded."""
    return Path(str(sys.modules[name.partition(":")[0]].__file__))


def pinned(code: str) -> str:
    """`code` so that it means the same in any folder: by its path, unless its module is installed."""
    name = reference(code)
    module, _, attribute = name.partition(":")
    file = source_file(name).resolve()
    spec = PathFinder.find_spec(module.partition(".")[0])
    return name if spec is not None or "." in module else f"{file}:{attribute}"


def find_saved(name: str, digest: str, folder: Path) -> type[Any]:
    """The class `module:Class` of the model in `folder`, whose file had the sha256 `digest`.

    Raises:
        ModelError: M46 when there is no such class, or only in the model's own folder; M47 when its file has
            changed.
    """
    module, _, attribute = name.partition(":")
    file = _origin(module, folder)
    if file is None:
        raise ModelError("M46", target=name, file=folder, module=module)
    if (found := sha256(file)) != digest:
        raise ModelError("M47", target=name, file=file, expected=digest, found=found)
    loaded: Any = getattr(importlib.import_module(module), attribute, None)
    if not isinstance(loaded, type):
        raise ModelError("M46", target=name, file=folder, module=module)
    return loaded


def _origin(module: str, folder: Path) -> Path | None:
    """The file of a module, found without running it; None when there is none outside of `folder`."""
    if module in sys.modules:
        file = getattr(sys.modules[module], "__file__", None)
        return Path(file) if file else None
    # Looking for `a.b` runs `a`: its place is looked at first.
    for name in dict.fromkeys((module.partition(".")[0], module)):
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            return None
        if spec is None or not spec.origin or not spec.has_location or _is_in(Path(spec.origin), folder):
            return None
    return Path(str(spec.origin)) if spec else None


def _is_in(file: Path, folder: Path) -> bool:
    return file.absolute().is_relative_to(folder.absolute()) or file.resolve().is_relative_to(
        folder.resolve()
    )
