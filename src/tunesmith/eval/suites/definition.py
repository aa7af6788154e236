"""suite.yaml: which files are asked, how a row becomes a prompt, and what counts as right.

Data does not come with a suite: paths are relative to the file, or to the folder that the user names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import regex
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from tunesmith.core import recipe_file
from tunesmith.core.errors import NotFoundError, Problem, RecipeError
from tunesmith.core.recipe import Identifier, Section
from tunesmith.core.registry import suggestion


def _pattern(value: str) -> str:
    try:
        regex.compile(value)
    except regex.error as error:
        problem = {"code": "C47", "values": {"pattern": value, "reason": str(error)}}
        raise PydanticCustomError("tunesmith", "pattern", problem) from error
    return value


Pattern = Annotated[str, AfterValidator(_pattern), Field(max_length=1000)]
Text = Annotated[str, Field(min_length=1)]


class _Asked(Section):
    """What all tasks have: a file, the prompt of a row, and how many solved rows stand before it.

    `examples` is the file that those come from; without one they are the first rows, which are not asked.
    """

    data: Text
    prompt: Text
    examples: Text | None = None
    shots: int = Field(default=0, ge=0, le=100)
    divider: str = "\n\n"


class Choices(_Asked):
    """One of several options is right: the likeliest is chosen, or the one that the model names.

    `options` is the column with the list of them, `answer` that with the letter, the number from 0, or the
    text of the right one. `score`: what stands behind the prompt and `delimiter`, letters or texts.
    """

    kind: Literal["choices"]
    options: Text
    answer: Text
    score: Literal["letters", "texts"] = "letters"
    delimiter: str = " "
    by: Literal["likelihood", "writing"] = "likelihood"
    max_new_tokens: int = Field(default=64, ge=1, le=65536)


class Written(_Asked):
    """The model writes, and what is extracted of it must be what is extracted of `answer`.

    `answer` is filled like a prompt. Of the patterns of `extract` the first that is found counts, at its last
    place; without any, all of the text. An `answer` in which none is found is meant whole.
    """

    kind: Literal["text"]
    answer: Text
    delimiter: str = " "
    extract: tuple[Pattern, ...] = ()
    compare: Literal["text", "number"] = "text"
    stop: tuple[Text, ...] = ()
    max_new_tokens: int = Field(default=256, ge=1, le=65536)


class Program(_Asked):
    """The model writes code, which is run: `program`, filled like a prompt, has it as {completion}.

    `answer` is the code of an example. A program is right when it runs to its end.
    """

    kind: Literal["code"]
    answer: Text
    program: Text
    delimiter: str = ""
    stop: tuple[Text, ...] = ()
    max_new_tokens: int = Field(default=512, ge=1, le=65536)
    seconds: float = Field(default=10, gt=0, le=600)
    memory_mb: int = Field(default=1024, ge=64, le=65536)


SuiteTask: TypeAlias = Choices | Written | Program
_KINDS: Mapping[str, type[Section]] = {"choices": Choices, "text": Written, "code": Program}


class _File(Section):
    """The content of suite.yaml."""

    suite: Literal[1]
    tasks: dict[Identifier, Annotated[SuiteTask, Field(discriminator="kind")]] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Tasks by name, and the folder where their data is, None when the user has to say."""

    name: str
    tasks: Mapping[str, SuiteTask]
    folder: Path | None


def known() -> list[str]:
    """The names of the suites that come with Tunesmith."""
    folder = files("tunesmith.eval.suites").joinpath("known")
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


def load(name: str) -> Suite:
    """A suite that comes with Tunesmith, or a file.

    Raises:
        NotFoundError: C40 when there is neither.
        RecipeError: all mistakes of the file, each with its line.
    """
    if name in known():
        with as_file(files("tunesmith.eval.suites").joinpath("known", f"{name}.yaml")) as path:
            return Suite(name=name, tasks=_read(path).tasks, folder=None)
    path = Path(name)
    if not path.is_file():
        raise NotFoundError("C40", name=name, **suggestion(name, known()))
    return Suite(name=path.stem, tasks=_read(path).tasks, folder=path.absolute().parent)


def _read(path: Path) -> _File:
    document = recipe_file.parse(path)
    found, problems = recipe_file.validate_as(_File, document)
    if found is None:
        raise RecipeError.of(_with_keys(problem, document) for problem in problems)
    return found


def _with_keys(problem: Problem, document: recipe_file.Document) -> Problem:
    """A problem of an unknown key with those that a task of its kind has, instead of a recipe's."""
    if problem.code != "R03":
        return problem
    key = problem.values["key"]
    place = (problem.field or "").split(".")
    model: type[Section] = _File
    if len(place) > 2:
        model = _KINDS.get(document.values["tasks"][place[1]].get("kind"), _Asked)
    return replace(problem, values={"key": key, **suggestion(key, list(model.model_fields))})
