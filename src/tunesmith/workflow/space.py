"""What may be searched: each corner of the space is a recipe, and has the mistakes that a recipe can have."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice, product
from typing import Any

from tunesmith.core import recipe_file
from tunesmith.core.errors import Problem
from tunesmith.core.recipe import Recipe
from tunesmith.core.recipe_file import Document

_AT = ("train", "search", "space")
# Trials are compared by the first two, and nothing is learned otherwise with the others.
_FIXED = ("metric", "search", "log_to", "save_every")
_CORNERS = 256


def problems(document: Document, recipe: Recipe, also: Callable[[Recipe], list[Problem]]) -> list[Problem]:
    """All that is wrong with the search of a valid recipe, at the keys of its space; `also` finds more."""
    search = recipe.train.search
    if search is None:
        return []
    found = [
        document.problem("T15", (*_AT, path), path=path)
        for path in search.space
        if path.split(".")[0] in _FIXED
    ]
    if len(recipe.model) > 1 or recipe.model[0] == "tfidf":
        found.append(document.problem("T16", ("train", "search"), count=len(recipe.model)))
    return found or list(_wrong_corners(document, recipe, also))


def _wrong_corners(
    document: Document, recipe: Recipe, also: Callable[[Recipe], list[Problem]]
) -> Iterator[Problem]:
    """Each mistake once, though many corners may have it."""
    search, told = recipe.train.search, set[tuple[str, str | None]]()
    known = {problem.code for problem in also(recipe)}
    for values in islice(_corners(search.space if search else {}), _CORNERS):
        varied, wrong = recipe_file.validate(_with(document, recipe, values))
        more = also(varied) if varied is not None else []
        for problem in [*wrong, *(one for one in more if one.code not in known)]:
            placed = _placed(document, problem, values)
            if (placed.code, placed.field) not in told:
                told.add((placed.code, placed.field))
                yield placed


def _corners(space: Mapping[str, Mapping[str, list[Any]]]) -> Iterator[dict[str, Any]]:
    """The ends of all ranges with each other, and all that may be chosen."""
    ends = [next(iter(given.values())) for given in space.values()]
    return (dict(zip(space, values, strict=True)) for values in product(*ends))


def _with(document: Document, recipe: Recipe, values: Mapping[str, Any]) -> Document:
    # With all defaults: a setting of a component needs its name beside it.
    train = recipe.train.model_dump(mode="json", exclude={"search"})
    given = copy.deepcopy(document.values)
    return Document(
        path=document.path, values={**given, "train": recipe_file.put_all(train, values)}, lines={}
    )


def _placed(document: Document, problem: Problem, values: Mapping[str, Any]) -> Problem:
    """A problem of a corner at the key of the space that it comes from."""
    field = f"{(problem.field or '').removeprefix('train.')}."
    own = [path for path in values if field.startswith(f"{path}.")]
    inside = [path for path in values if f"{path}.".startswith(field)]
    path = max(own, key=len, default=None) or next(iter(inside), None)
    at = _AT if path is None else (*_AT, path)
    return replace(problem, line=document.line_of(at), field=".".join(at))
