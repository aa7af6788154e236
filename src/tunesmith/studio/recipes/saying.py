"""A recipe in words: one that suits a data set; as YAML, as commands, as Python, which do the same."""

from __future__ import annotations

import io
import json
import pprint
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tunesmith.core import durable, recipe_file
from tunesmith.core.recipe_file import Document
from tunesmith.studio.datasets.library import Dataset


def document(folder: Path, name: str, values: Mapping[str, Any] | None, text: str | None) -> Document:
    """A recipe of a form, or as it was typed; relative paths start from `folder`.

    Raises:
        RecipeError: R02 when the text is no YAML.
    """
    path = folder / f"{name}.yaml"
    if text is None:
        return Document(path=path, values=dict(values or {}), lines={})
    with durable.scratch(folder) as scratch:
        place = scratch / path.name
        place.write_text(text, encoding="utf-8")
        found = recipe_file.parse(place)
    return Document(path=path, values=found.values, lines=found.lines)


def proposal(folder: Path, one: Dataset, task: str | None, lang: str) -> tuple[str, dict[str, Any]]:
    """The task and a recipe for it that suits a data set; where none is named, the one that its rows are for.

    Raises:
        DataError, RecipeError: when its files cannot be read any more, or suit no such task.
    """
    from tunesmith.workflow import initial

    found = initial.draft(Path(one.path), task=task or one.task, out=folder / "recipe.yaml", lang=lang)
    values = dict(document(folder, "recipe", None, found.text).values)
    fields = {"fields": one.chosen} if one.chosen else {}
    return found.task, {**values, "data": {**values["data"], "source": one.path, **fields}}


def as_yaml(values: Mapping[str, Any]) -> str:
    """The values as YAML, with nothing that was not said."""
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 100
    text = io.StringIO()
    yaml.dump(json.loads(json.dumps(values)), text)
    return text.getvalue()


def as_commands(text: str, name: str) -> str:
    """A shell's commands that write the recipe and carry it out."""
    file = shlex.quote(f"{name}.yaml")
    return f"cat > {file} <<'RECIPE'\n{text.rstrip()}\nRECIPE\ntunesmith check {file}\ntunesmith run {file}\n"


def as_python(values: Mapping[str, Any], name: str) -> str:
    """A program that carries it out."""
    shown = pprint.pformat(dict(values), sort_dicts=False, width=100)
    return (
        "import tunesmith\n\n"
        f"recipe = tunesmith.Recipe.model_validate(\n    {shown.replace(chr(10), chr(10) + '    ')}\n)\n"
        f"result = tunesmith.run(recipe, name={name!r})\n"
        'print(result["scores"])\n'
    )
