"""By what a judge judges, and the words in which it is asked: Chinese for Chinese requests, else English."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import Field

from tunesmith.core import recipe_file
from tunesmith.core.errors import RecipeError
from tunesmith.core.recipe import Section


class Rubric(Section):
    """A user's own criteria, each in a line; `scale` is the best score."""

    rubric: Literal[1] = 1
    criteria: tuple[str, ...] = ()
    scale: int = Field(default=5, ge=2, le=100)

    @property
    def digest(self) -> str:
        """The sha256 of the criteria and of all words in which a judge is asked."""
        said = json.dumps([self.model_dump(), _words()], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(said.encode()).hexdigest()

    def pair(self, prompt: str, first: str, second: str) -> str:
        """What is asked about two answers."""
        return self._filled("pair", prompt, first=first, second=second)

    def score(self, prompt: str, answer: str) -> str:
        """What is asked about one answer."""
        return self._filled("score", prompt, answer=answer)

    def again(self, kind: Literal["pair", "score"], prompt: str) -> str:
        """What is said to a judge whose answer could not be read."""
        return _words()[_language(prompt)][f"again_{kind}"].format(scale=self.scale)

    def _filled(self, kind: str, prompt: str, **texts: str) -> str:
        words = _words()[_language(prompt)]
        tag = hashlib.sha256("\n".join([prompt, *texts.values()]).encode("utf-8", "replace")).hexdigest()[:8]
        criteria = "\n".join(f"- {one}" for one in self.criteria) or words["criteria"]
        return words[kind].format(criteria=criteria, tag=tag, prompt=prompt, scale=self.scale, **texts)


def load(path: Path | None) -> Rubric:
    """A rubric from a YAML file, or the usual one.

    Raises:
        NotFoundError: R01 when the file does not exist.
        RecipeError: all its mistakes, each with its line.
    """
    if path is None:
        return Rubric()
    found, problems = recipe_file.validate_as(Rubric, recipe_file.parse(path))
    if found is None:
        raise RecipeError.of(problems)
    return found


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    source = files("tunesmith.eval.judges").joinpath("prompts.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))


def _language(text: str) -> str:
    """Whether a text is Chinese: one Chinese character says as much as a word of another language."""
    chinese = sum("㐀" <= character <= "鿿" for character in text)
    return "zh" if chinese * 2 > len(text.split()) else "en"
