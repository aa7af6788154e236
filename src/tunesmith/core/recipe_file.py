"""recipe.yaml: reading it with every mistake at once and its line, overriding keys, writing the lock file.

YAML is read as version 1.2. This module knows files and lines; what the keys mean is in `core.recipe`.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tunesmith.core import durable
from tunesmith.core.errors import NotFoundError, Problem, RecipeError
from tunesmith.core.recipe import Recipe, Train
from tunesmith.core.registry import suggestion

MAX_BYTES = 1_000_000
_KEY_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
# Kinds of errors of pydantic and ours that are no rule about a value.
_SAID_APART = ("tunesmith", "extra_forbidden", "missing")
Location = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A parsed file: plain values, and the line on which each of them stands (from 1)."""

    path: Path
    values: dict[str, Any]
    lines: Mapping[Location, int]

    def line_of(self, location: Sequence[str | int]) -> int | None:
        """The line of the deepest part of `location` that the file has."""
        for length in range(len(location), 0, -1):
            if line := self.lines.get(tuple(location[:length])):
                return line
        return self.lines.get(())

    def problem(self, code: str, location: Sequence[str | int], **values: Any) -> Problem:
        """A problem at `location` of this file."""
        return Problem(
            code=code,
            file=str(self.path),
            line=self.line_of(location),
            field=".".join(map(str, location)) or None,
            values=values,
        )


def load(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe.

    Raises:
        NotFoundError: R01 when the file does not exist.
        RecipeError: all mistakes of the file, each with its line.
    """
    document = parse(path, overrides)
    recipe, problems = validate(document)
    if recipe is None:
        raise RecipeError.of(problems)
    return recipe


def parse(path: Path, overrides: Sequence[str] = ()) -> Document:
    """Read YAML 1.2 with line numbers and apply `a.b=c` overrides.

    Raises:
        NotFoundError: R01 when the file does not exist.
        RecipeError: R02 when the file is not YAML or not a mapping; R08 for a wrong override.
    """
    if not path.is_file():
        raise NotFoundError("R01", file=path)
    if path.stat().st_size > MAX_BYTES:
        raise RecipeError("R02", file=path, line=1, reason=f"larger than {MAX_BYTES} bytes")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError("R02", file=path, line=1, reason=str(error)) from error
    values, lines = _parse_yaml(text, path)
    for override in overrides:
        _override(values, override)
    return Document(path=path, values=values, lines=lines)


def _parse_yaml(text: str, path: Path) -> tuple[dict[str, Any], dict[Location, int]]:
    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(text)
        lines = dict(_lines(node, (), ()))
        values = {} if node is None else yaml.constructor.construct_document(node)
    except (YAMLError, RecursionError, ValueError) as error:
        raise _syntax_error(error, path) from error
    if not isinstance(values, dict):
        raise RecipeError("R02", file=path, line=1, reason="the file is not a mapping of keys")
    return values, lines


def _syntax_error(error: Exception, path: Path) -> RecipeError:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    reason = (error.problem if isinstance(error, MarkedYAMLError) else None) or str(error)
    return RecipeError("R02", file=path, line=mark.line + 1 if mark else 1, reason=reason)


def _lines(node: Node | None, at: Location, above: tuple[int, ...]) -> Iterator[tuple[Location, int]]:
    if node is None:
        return
    if id(node) in above:
        raise RecursionError("an alias contains itself")
    above = (*above, id(node))
    if not at:
        yield at, node.start_mark.line + 1
    if isinstance(node, MappingNode):
        for key, value in node.value:
            name = _key(key)
            yield (*at, name), key.start_mark.line + 1
            yield from _lines(value, (*at, name), above)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield (*at, index), value.start_mark.line + 1
            yield from _lines(value, (*at, index), above)


def _key(node: Node) -> str:
    if not isinstance(node, ScalarNode) or node.tag not in _KEY_TAGS:
        raise ConstructorError(None, None, "a key must be text", node.start_mark)
    return str(node.value)


def _override(values: dict[str, Any], override: str) -> None:
    name, equals, raw = override.partition("=")
    keys = name.strip().split(".")
    if not equals or not all(keys):
        raise RecipeError("R08", override=override)
    parsed, _ = _parse_yaml(f"value: {raw}", Path("--set"))
    if not put(values, keys, parsed["value"]):
        raise RecipeError("R08", override=override)


def put(values: dict[str, Any], keys: Sequence[str], value: Any) -> bool:
    """Set the value at `keys`, making mappings on the way; False when something else is in the way."""
    inner = values
    for key in keys[:-1]:
        if isinstance(inner.get(key), str):
            # `method: lora` grows into a mapping when a setting of it is set.
            inner[key] = {"name": inner[key]}
        if inner.get(key) is None:
            inner[key] = {}
        inner = inner[key]
        if not isinstance(inner, dict):
            return False
    inner[keys[-1]] = value
    return True


def with_values(train: Train, values: Mapping[str, Any], folder: Path) -> Train:
    """`train` with the values of a trial, under its dotted keys, and nothing left to search.

    Raises:
        ValidationError: when they do not suit it.
    """
    return Train.model_validate(
        put_all(train.model_dump(mode="json", exclude={"search"}), values), context={"folder": folder}
    )


def put_all(train: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Put values under their dotted keys into a `train` section; a component comes before its settings."""
    for path in sorted(values, key=lambda path: path.count(".")):
        put(train, path.split("."), copy.deepcopy(values[path]))
    return train


def validate(document: Document) -> tuple[Recipe | None, list[Problem]]:
    """The recipe, or None with all its problems in the order of their lines."""
    return validate_as(Recipe, document)


def validate_as(model: type[Model], document: Document) -> tuple[Model | None, list[Problem]]:
    """The same for a part of a recipe: `model` has some of its sections under their names."""
    try:
        context = {"folder": document.path.absolute().parent}
        return model.model_validate(document.values, context=context), []
    except ValidationError as error:
        flat = _flatten([dict(item) for item in error.errors()])
        return None, sorted(_problems(document, flat), key=lambda problem: problem.line or 0)


def _flatten(errors: list[dict[str, Any]], at: Location = ()) -> Iterator[dict[str, Any]]:
    for item in errors:
        location = (*at, *item["loc"])
        if item["type"] == "settings":
            inner = [{**e, "known": item["ctx"]["known"]} for e in item["ctx"]["errors"]]
            yield from _flatten(inner, location)
        else:
            yield {**item, "loc": location}


def _problems(document: Document, errors: Iterable[dict[str, Any]]) -> list[Problem]:
    """The problems; a value that fits none of the kinds it may be of is one."""
    found: dict[tuple[Location, int | None], list[dict[str, Any]]] = {}
    for number, item in enumerate(errors):
        apart = number if item["type"] in _SAID_APART else None
        found.setdefault((_real_location(document.values, item["loc"]), apart), []).append(item)
    return [_problem(document, location, items) for (location, _), items in found.items()]


def _problem(document: Document, location: Location, items: Sequence[dict[str, Any]]) -> Problem:
    """What is wrong with a value; several `items` are the rules of the kinds it may be of, all broken."""
    first, *_ = items
    key = str(location[-1]) if location else ""
    match first["type"]:
        case "tunesmith":
            context = first["ctx"]
            return document.problem(context["code"], location, **context["values"])
        case "extra_forbidden":
            known = first.get("known") or _known_keys(location)
            return document.problem("R03", location, key=key, **suggestion(key, known))
        case "missing":
            return document.problem("R04", location, key=key)
        case _:
            rules = [{"kind": item["type"], "reason": item["msg"], **item.get("ctx", {})} for item in items]
            return document.problem("R05", location, key=key, got=first["input"], expects=rules)


def _real_location(values: object, location: Location) -> Location:
    """`location` without the parts pydantic adds for alternatives, which the file does not have."""
    real: list[str | int] = []
    for position, part in enumerate(location):
        last = position == len(location) - 1
        if isinstance(values, dict) and (part in values or last):
            values = values.get(part)
        elif isinstance(values, list) and isinstance(part, int) and part < len(values):
            values = values[part]
        else:
            continue
        real.append(part)
    return tuple(real)


def _known_keys(location: Location) -> list[str]:
    """The keys that exist where `location` points to, by walking the schema."""
    model: type[BaseModel] = Recipe
    for part in location[:-1]:
        field = model.model_fields.get(str(part))
        inner = None if field is None else _model_in(field.annotation)
        if inner is None:
            continue
        model = inner
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if found := _model_in(argument):
            return found
    return None


def dump(recipe: Recipe) -> str:
    """The recipe as YAML with every default written out."""
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 100
    text = io.StringIO()
    yaml.dump(recipe.model_dump(mode="json", exclude_none=True), text)
    return text.getvalue()


def write(recipe: Recipe, path: Path) -> None:
    """Write the recipe durably."""
    durable.write_bytes(path, dump(recipe).encode())
