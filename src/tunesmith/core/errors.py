"""The errors users meet: a stable code, a place, a cause and a hint; the exit code comes from the class.

The library raises; only the command line, the Studio and HTTP turn an error into text (`core.text`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from tunesmith.core import text


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake: its code, where it is, and the values its sentence needs."""

    code: str
    file: str | None = None
    line: int | None = None
    field: str | None = None
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict[str, Any])

    @property
    def told(self) -> dict[str, Any]:
        """All that its sentences may name: the place, as far as it is known, and the values."""
        known = {name: value for name, value in self._place().items() if value is not None}
        return {**known, **self.values}

    def as_dict(self, lang: str) -> dict[str, Any]:
        """The form of `check --json`: code, file, line, field, message, cause, hint."""
        return {"code": self.code, **self._place(), **text.explain(self.code, lang, self.told)}

    def _place(self) -> dict[str, str | int | None]:
        return {"file": self.file, "line": self.line, "field": self.field}


class TunesmithError(Exception):
    """Something the user can act on; `problems` says what, where and how."""

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        code: str,
        /,
        *,
        file: object = None,
        line: int | None = None,
        field: str | None = None,
        **values: Any,
    ) -> None:
        place = None if file is None else str(file)
        problem = Problem(code=code, file=place, line=line, field=field, values=values)
        self.problems: tuple[Problem, ...] = (problem,)
        super().__init__(code)

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> Self:
        """One error that carries several problems, in the order given."""
        found = tuple(problems)
        error = cls(found[0].code)
        error.problems = found
        return error

    def __str__(self) -> str:
        return "\n".join(render(problem, "en") for problem in self.problems)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restore, (type(self), self.problems))


def _restore(kind: type[TunesmithError], problems: tuple[Problem, ...]) -> TunesmithError:
    return kind.of(problems)


class UsageError(TunesmithError):
    """The command was called in a way it cannot understand."""

    exit_code = 2


class RecipeError(TunesmithError):
    """The recipe has mistakes."""

    exit_code = 3


class DataError(TunesmithError):
    """The data cannot be used as it is."""

    exit_code = 3


class ModelError(TunesmithError):
    """A model folder is damaged, unsafe or not fit for what is asked."""

    exit_code = 3


class NotFoundError(TunesmithError):
    """A file, model, release, run or key does not exist."""

    exit_code = 4


class MissingError(TunesmithError):
    """An extra package, a device or the network is missing."""

    exit_code = 5


class MemoryShortError(TunesmithError):
    """There is not enough memory for what is asked."""

    exit_code = 6


class GateError(TunesmithError):
    """The model did not pass its gate."""

    exit_code = 7


class StoppedError(TunesmithError):
    """The user stopped the work; what was done is kept."""

    exit_code = 130


def render(problem: Problem, lang: str) -> str:
    """A problem as lines of text: what, where, why, and what to do."""
    said = problem.as_dict(lang)
    lines = [f"error[{problem.code}]: {said['message']}"]
    place = problem.file or ""
    if problem.line is not None:
        place += f":{problem.line}"
    if problem.field:
        place += f"  ({problem.field})" if place else problem.field
    if place:
        lines.append(f"  --> {place}")
    lines += [f"{_LABELS[lang][part]}{said[part]}" for part in ("cause", "hint") if said[part]]
    return "\n".join(lines)


_LABELS = {"en": {"cause": "cause: ", "hint": "hint: "}, "zh": {"cause": "原因：", "hint": "建议："}}
