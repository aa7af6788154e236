"""Files named on a command line as the data section of a recipe, and the shape their rows are wanted in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tunesmith.core import components, recipe_file
from tunesmith.core.errors import DataError, Problem, RecipeError, UsageError
from tunesmith.core.recipe import Data
from tunesmith.core.registry import suggestion
from tunesmith.data import shapes
from tunesmith.data.mapping import recognise
from tunesmith.data.reading import open_file
from tunesmith.data.sources import SourceFile, locate, shown
from tunesmith.workflow.settling import task_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Rows to work on: where they are, in which shape, and from where their paths start."""

    data: Data
    shape: str
    base: Path
    seed: int = 0


class _Alone(BaseModel):
    """The section of a recipe that has no other."""

    data: Data


def of_files(
    files: Sequence[str],
    *,
    task: str | None = None,
    fields: Mapping[str, str] | None = None,
    clean: Sequence[Any] = (),
    split: Mapping[str, Any] | None = None,
    augment: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> Section:
    """Files in the shape of a task, or in the one that their rows have; rows that are bad are left out.

    Raises:
        NotFoundError: D01 when a file does not exist.
        DataError: when a file cannot be read; D83 when files have rows of different shapes.
        RecipeError: R06 when there is no such task or shape, or what is wrong with the settings.
    """
    here = Path()
    files = [_from_here(name) for name in files]
    shape = shape_of(task) if task else common_shape([file for name in files for file in locate(name, here)])
    given = {"source": files, "fields": dict(fields or {}), "clean": list(clean), "on_error": "drop"}
    given = {**given, "split": dict(split or {}), **({"augment": dict(augment)} if augment else {})}
    return Section(data=checked(given), shape=shape, base=here, seed=seed)


def fields_of(pairs: Sequence[str]) -> dict[str, str]:
    """Fields and their columns, as a command line has them: `FIELD=COLUMN`.

    Raises:
        UsageError: U07 for one without a column.
    """
    fields = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not equals:
            raise UsageError("U07", value=pair)
        fields[name.strip()] = column.strip()
    return fields


def apart(files: Sequence[str]) -> list[str]:
    """The same files, each by itself where a folder or pattern holds rows of different shapes.

    Raises:
        NotFoundError: D01 when a file does not exist.
        DataError: when a file cannot be read.
    """
    here = Path()
    found: list[str] = []
    for name in map(_from_here, files):
        shapes_of = {file.path: recognise(open_file(file).sample) for file in locate(name, here)}
        found += [name] if len(set(shapes_of.values())) == 1 else map(str, shapes_of)
    return found


def _from_here(name: str) -> str:
    """A path below the current folder without that folder, so that reports and errors name it shortly."""
    path = Path(name)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else name


def common_shape(files: Sequence[SourceFile]) -> str:
    """The shape that the rows of all these files have.

    Raises:
        DataError: when a file cannot be read; D83 when their rows have different shapes.
    """
    found = {file.path: recognise(open_file(file).sample) for file in files}
    if len(set(found.values())) > 1:
        told = "; ".join(f"{shown(path, Path())}: {shape}" for path, shape in found.items())
        raise DataError("D83", file=next(iter(found)), shapes=told)
    return next(iter(found.values()))


def of_recipe(file: Path, overrides: Sequence[str] = ()) -> Section:
    """The data section of a recipe, as a run would use it.

    Raises:
        NotFoundError: R01 when there is no such file.
        RecipeError: all mistakes of the recipe.
    """
    recipe = recipe_file.load(file, overrides)
    base = file.absolute().parent
    shape = task_of(recipe.task, recipe.data, base).shape
    return Section(data=recipe.data, shape=shape, base=base, seed=recipe.seed)


def shape_of(task: str) -> str:
    """The shape that a task works on; the name of a shape stands for itself.

    Raises:
        RecipeError: R06 when there is neither.
    """
    if task in shapes.COLUMNS:
        return task
    if task not in components.tasks.names():
        known = [*components.tasks.names(), *shapes.COLUMNS]
        raise RecipeError("R06", noun="task", name=task, **suggestion(task, known))
    shape: str = components.tasks.get(task)().shape
    return shape


def checked(values: dict[str, Any]) -> Data:
    """A data section from plain values.

    Raises:
        RecipeError: all that is wrong with it.
    """
    document = recipe_file.Document(path=Path("data"), values={"data": values}, lines={})
    found, problems = recipe_file.validate_as(_Alone, document)
    if found is None:
        raise RecipeError.of(_as_option(problem, values) for problem in problems)
    return found.data


def _as_option(problem: Problem, values: Mapping[str, Any]) -> Problem:
    """A mistake at the option that it was made in: `--clean (dedup.near)`, `--fields`, `--test`."""
    _, section, *rest = [*(problem.field or "").split("."), ""]
    if section == "split":
        # Where options do not go together the place is all of them.
        section, rest = rest[0] or ", --".join(values["split"]), rest[1:]
    if section == "augment":
        # `--with` lists what the section calls `by`; its other keys are options of their own.
        section, rest = ("with", rest[1:]) if rest[0] == "by" else (rest[0] or "with", rest[1:])
    listed = {"clean": values["clean"], "with": values.get("augment", {}).get("by", ())}
    if section in listed and rest[0].isdigit():
        given = listed[section][int(rest[0])]
        name = given.get("name") if isinstance(given, dict) else given
        # A component is known by its name; its place in the list would be a number from 0.
        rest[0] = str(name)
        if problem.values.get("key", "").isdigit():
            problem = replace(problem, values={**problem.values, "key": str(name)})
    return replace(problem, file=f"--{section}", line=None, field=".".join(filter(None, rest)) or None)


def cleaners_of(said: str | None) -> list[Any]:
    """Cleaners as a command line lists them: `normalise, {name: dedup, near: 0.9}`; without, the default.

    Raises:
        RecipeError: D89 when it is no list.
    """
    return Data.model_validate({"source": "-"}).clean if said is None else components_of(said, "--clean")


def components_of(said: str, option: str) -> list[Any]:
    """Components as a command line lists them: `eda, {name: typos, rate: 0.1}`.

    Raises:
        RecipeError: D89 when it is no list.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        found = YAML(typ="safe", pure=True).load(said if said.lstrip().startswith("[") else f"[{said}]")
    except (YAMLError, ValueError, RecursionError) as error:
        reason = (error.problem if isinstance(error, MarkedYAMLError) else None) or str(error)
        raise RecipeError("D89", field=option, reason=reason) from error
    return list(found)
