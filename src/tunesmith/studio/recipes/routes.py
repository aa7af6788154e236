"""Recipes over HTTP: the form's schema, a proposal for a data set, what is wrong, other words."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Request
from pydantic import BaseModel, Field, model_validator

from tunesmith.core.errors import TunesmithError
from tunesmith.serve import errors
from tunesmith.serve.policies import Policy, Route
from tunesmith.serve.strict import Strict, mistake
from tunesmith.studio.datasets import library
from tunesmith.studio.jobs.wishes import MAX_RECIPE
from tunesmith.studio.recipes import saying, schema
from tunesmith.studio.roles import ENGINEER, VIEWER
from tunesmith.studio.state import Studio

POLICIES: dict[Route, Policy] = {
    ("GET", "/api/recipes/schema"): VIEWER,
    ("POST", "/api/recipes/proposal"): ENGINEER,
    ("POST", "/api/recipes/check"): ENGINEER,
    ("POST", "/api/recipes/show"): ENGINEER,
}

_SHOWN = 100
RecipeName = Annotated[str, Field(pattern=r"^[\w.-]{1,40}$")]


class RecipeWishes(Strict):
    """A recipe, as values of a form or as YAML."""

    name: RecipeName = "run"
    values: dict[str, Any] | None = None
    yaml: Annotated[str | None, Field(max_length=MAX_RECIPE)] = None

    @model_validator(mode="after")
    def _one_of_both(self) -> RecipeWishes:
        if (self.values is None) == (self.yaml is None):
            raise mistake("W15")
        return self


class ProposalWishes(Strict):
    """The data set to learn from, what for, and the model to start from."""

    dataset: Annotated[str, Field(max_length=80)]
    task: Annotated[str | None, Field(max_length=64)] = None


class RecipeSchema(BaseModel):
    """The JSON Schema of a recipe, and of the settings of every component by the place where it may stand."""

    recipe: dict[str, Any]
    tasks: dict[str, dict[str, Any]]
    components: dict[str, dict[str, dict[str, Any]]]


class RecipeProposal(BaseModel):
    """A recipe that suits the rows, as YAML with remarks and as values."""

    name: str
    task: str
    yaml: str
    values: dict[str, Any]


class RecipeCheck(BaseModel):
    """All that is wrong with a recipe; what it costs is found by a job of the kind `check`."""

    ok: bool
    problems: list[dict[str, Any]]
    values: dict[str, Any]


class RecipeWords(BaseModel):
    """The same recipe in three languages."""

    yaml: str
    cli: str
    python: str


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the routes of recipes and drafts into `app`."""
    root = studio.workspace.root

    @app.get("/api/recipes/schema")
    def recipe_schema() -> RecipeSchema:
        """What the form is made of."""
        return RecipeSchema(**schema.of_recipe())

    @app.post("/api/recipes/proposal")
    def proposal(wishes: ProposalWishes, request: Request) -> RecipeProposal:
        """A recipe that suits a data set."""
        one = library.find(studio.workspace, wishes.dataset)
        task, values = saying.proposal(root, one, wishes.task, errors.language(request.headers))
        return RecipeProposal(
            name=one.id.rpartition("-")[0], task=task, yaml=saying.as_yaml(values), values=values
        )

    @app.post("/api/recipes/check")
    def check(wishes: RecipeWishes, request: Request) -> RecipeCheck:
        """Everything that is wrong with a recipe, its data and its models."""
        return _checked(studio, wishes, errors.language(request.headers))

    @app.post("/api/recipes/show")
    def show(wishes: RecipeWishes) -> RecipeWords:
        """A recipe as YAML, as commands, and as Python."""
        document = saying.document(root, wishes.name, wishes.values, wishes.yaml)
        text = wishes.yaml if wishes.yaml is not None else saying.as_yaml(document.values)
        return RecipeWords(
            yaml=text,
            cli=saying.as_commands(text, wishes.name),
            python=saying.as_python(document.values, wishes.name),
        )


def _checked(studio: Studio, wishes: RecipeWishes, lang: str) -> RecipeCheck:
    from tunesmith.workflow import check as checking

    try:
        document = saying.document(studio.workspace.root, wishes.name, wishes.values, wishes.yaml)
        _, problems = checking.find(document, studio.workspace)
    except TunesmithError as error:
        values = wishes.values or {}
        return RecipeCheck(ok=False, problems=[p.as_dict(lang) for p in error.problems], values=values)
    said = [problem.as_dict(lang) for problem in problems[:_SHOWN]]
    return RecipeCheck(ok=not problems, problems=said, values=document.values)
