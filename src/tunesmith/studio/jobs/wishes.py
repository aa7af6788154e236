"""What can be asked for as a job: a class for each kind, and the function that does it, loaded in the job."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, model_validator

from tunesmith.serve.strict import Strict, mistake
from tunesmith.workflow.feedback.versions import NAME as MODEL

MAX_RECIPE = 200_000
Name = Annotated[str, Field(min_length=1, max_length=256)]


class RunJob(Strict):
    """Carry out a recipe, given as YAML; `name` is what it is called."""

    kind: Literal["run"]
    recipe: Annotated[str, Field(min_length=1, max_length=MAX_RECIPE)]
    name: Annotated[str, Field(pattern=r"^[\w.-]{1,40}$")] = "run"


class ResumeJob(Strict):
    """Go on with a run that was stopped, killed or failed."""

    kind: Literal["resume"]
    run: Name


class SampleJob(Strict):
    """Train the sample classifier: built-in messages, a built-in model, no network."""

    kind: Literal["sample"]
    language: Literal["en", "zh"] = "en"


class CheckJob(Strict):
    """Find out what a recipe costs: its data is prepared and a few batches are tried; nothing is trained."""

    kind: Literal["check"]
    recipe: Annotated[str, Field(min_length=1, max_length=MAX_RECIPE)]
    name: Annotated[str, Field(pattern=r"^[\w.-]{1,40}$")] = "run"


class ProfileJob(Strict):
    """Measure the rows of a data set; with a model, in its tokens too."""

    kind: Literal["profile"]
    dataset: Name
    model: Name | None = None


class CleanJob(Strict):
    """Clean a data set into a new one."""

    kind: Literal["clean"]
    dataset: Name
    clean: Annotated[list[str | dict[str, Any]], Field(min_length=1, max_length=32)]


class ImportJob(Strict):
    """Make a data set: of an upload, of files on the server's machine, or of a data set of the hub.

    What is not said of it is recognised.
    """

    kind: Literal["import"]
    upload: Annotated[str | None, Field(max_length=32)] = None
    path: Annotated[str | None, Field(min_length=1, max_length=4096)] = None
    hub: Annotated[str | None, Field(max_length=128)] = None
    name: Annotated[str, Field(max_length=200)] = ""
    task: Name | None = None
    fields: Annotated[dict[Name, Name], Field(max_length=32)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_of_them(self) -> ImportJob:
        if sum(given is not None for given in (self.upload, self.path, self.hub)) != 1:
            raise mistake("W14")
        return self


class OverlapJob(Strict):
    """Find the rows of another data set that are in this one too, exactly or as alike as `least`."""

    kind: Literal["overlap"]
    dataset: Name
    other: Name
    least: Annotated[float, Field(ge=0.5, le=1)] = 0.8


class LearnJob(Strict):
    """Learn from what people said of a model's answers: the next candidate, held to its gate.

    With `promote`, one that passes is put into production.
    """

    kind: Literal["learn"]
    name: Annotated[str, Field(pattern=MODEL)]
    only_reviewed: bool = True
    promote: bool = False


JobWishes: TypeAlias = Annotated[
    RunJob | ResumeJob | SampleJob | CheckJob | ProfileJob | CleanJob | ImportJob | OverlapJob | LearnJob,
    Field(discriminator="kind"),
]

# A function of the wishes (as a mapping) and a `Context`, which returns the result.
WORK: Mapping[str, str] = {
    "run": "tunesmith.studio.jobs.training:run",
    "resume": "tunesmith.studio.jobs.training:resume",
    "sample": "tunesmith.studio.jobs.training:sample",
    "check": "tunesmith.studio.jobs.training:check",
    "profile": "tunesmith.studio.jobs.looking:profile",
    "clean": "tunesmith.studio.jobs.looking:clean",
    "overlap": "tunesmith.studio.jobs.looking:overlap",
    "import": "tunesmith.studio.jobs.importing:take_in",
    "learn": "tunesmith.studio.jobs.training:learn",
}
# What takes minutes at most, and so does not wait until trainings are over.
SHORT = ("profile", "clean", "overlap", "import")


def title(wishes: JobWishes) -> str:
    """What a job is called in a list."""
    match wishes:
        case RunJob() | CheckJob():
            return wishes.name
        case ResumeJob():
            return wishes.run
        case SampleJob():
            return f"sample.{wishes.language}"
        case ProfileJob() | CleanJob() | OverlapJob():
            return wishes.dataset
        case ImportJob():
            return wishes.name or wishes.hub or PurePath(wishes.path or "").name or wishes.upload or ""
        case LearnJob():
            return wishes.name
