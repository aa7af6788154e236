"""What routes of labelling take and give."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from tunesmith.core.store.labelling import Decision, Item, Project, Standing
from tunesmith.serve.strict import Strict

_LONGEST_GUIDELINE = 100_000

Name = Annotated[str, Field(min_length=1, max_length=64)]
Path = Annotated[str, Field(min_length=1, max_length=4096)]
Event = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[\w-]+$")]
Share = Annotated[float, Field(ge=0, le=1)]
Number = Annotated[int, Field(ge=0, lt=2**31)]
Guideline = Annotated[str, Field(max_length=_LONGEST_GUIDELINE)]


class LabelForm(Strict):
    """A label, its key, and what it means."""

    name: Annotated[str, Field(min_length=1, max_length=256)]
    key: Annotated[str, Field(max_length=1)] = ""
    meaning: Annotated[str, Field(max_length=2000)] = ""


Labels = Annotated[list[LabelForm], Field(max_length=2000)]
Order = Literal["given", "random", "margin", "entropy", "diversity", "mixed", "disagreement"]


class NewProject(Strict):
    """A data set or files to label, and how; without a task and labels the rows decide."""

    dataset: Annotated[str, Field(pattern=r"^[\w-]{1,80}$")] | None = None
    files: Annotated[list[Path], Field(max_length=100)] = Field(default_factory=list)
    name: Annotated[str, Field(max_length=64)] = ""
    task: Annotated[str, Field(max_length=32)] | None = None
    labels: Annotated[list[Name], Field(max_length=2000)] = Field(default_factory=list)
    guideline: Guideline = ""
    overlap: Share = 0.0
    order: Order = "given"
    scale: Annotated[int, Field(ge=2, le=10)] = 5
    doubtful: bool = False
    gold: Annotated[list[Path], Field(max_length=100)] = Field(default_factory=list)
    suggest: Annotated[list[Path], Field(max_length=10)] = Field(default_factory=list)


class ProjectChanges(Strict):
    """What may change of a project."""

    guideline: Guideline | None = None
    labels: Labels | None = None
    order: Order | None = None


class Progress(BaseModel):
    """How far a project is; `by` are the decisions of each annotator."""

    items: int
    decided: int
    decisions: int
    skipped: int
    settled: int
    held: int
    by: dict[str, int]

    @classmethod
    def of(cls, standing: Standing) -> Progress:
        """As the store tells it."""
        return cls.model_validate(standing, from_attributes=True)


class ProjectInfo(BaseModel):
    """A project and how far it is. `annotator` is who asks."""

    name: str
    task: str
    guideline: str
    labels: list[LabelForm]
    source: str
    overlap: float
    order: str
    scale: int
    created: float
    annotator: str
    progress: Progress

    @classmethod
    def of(cls, project: Project, standing: Standing, annotator: str) -> ProjectInfo:
        """As the store tells it."""
        names = ("name", "task", "guideline", "source", "overlap", "order", "scale", "created")
        own = {name: getattr(project, name) for name in names}
        return cls(
            **own,
            labels=[LabelForm(**label) for label in project.named_labels()],
            annotator=annotator,
            progress=Progress.of(standing),
        )


class ProjectList(BaseModel):
    """All projects."""

    projects: list[ProjectInfo]


class SuggestionInfo(BaseModel):
    """What a model or rule would answer, and how sure it is."""

    by: str
    answer: dict[str, Any]
    score: float


class DecisionInfo(BaseModel):
    """What somebody decided about an item."""

    event: str
    annotator: str
    kind: str
    answer: dict[str, Any] | None
    seconds: float
    made: float


class ItemInfo(BaseModel):
    """An item: what is shown of it, what is suggested, and (in a review) what stands for it."""

    number: int
    content: dict[str, Any]
    why: str
    suggested: list[SuggestionInfo]
    decisions: list[DecisionInfo] = Field(default_factory=list)

    @classmethod
    def of(cls, item: Item, decisions: tuple[Decision, ...] = ()) -> ItemInfo:
        """As the store tells it; that an item is gold nobody who labels is told."""
        why = "given" if item.why == "gold" else item.why
        content = {name: value for name, value in item.content.items() if name != "beside"}
        return cls(
            number=item.number,
            content=content,
            why=why,
            suggested=[SuggestionInfo.model_validate(one, from_attributes=True) for one in item.suggested],
            decisions=[DecisionInfo.model_validate(one, from_attributes=True) for one in decisions],
        )


class Items(BaseModel):
    """Some items of a project, and how many there are of this kind."""

    items: list[ItemInfo]
    total: int


class Wanted(Strict):
    """How many items to hold at once; those that are held already count."""

    count: Annotated[int, Field(ge=1, le=100)] = 10


class DecisionForm(Strict):
    """A decision: `event` names it, so that one sent twice counts once."""

    event: Event
    item: Number
    kind: Literal["label", "skip", "undo", "settle"] = "label"
    answer: Annotated[dict[str, Any], Field(max_length=8)] | None = None
    suggested: Annotated[dict[str, Any], Field(max_length=8)] | None = None
    seconds: Annotated[float, Field(ge=0, le=1e7)] = 0.0
    undoes: Event | None = None


class Decisions(Strict):
    """Decisions in the order in which they were made."""

    decisions: Annotated[list[DecisionForm], Field(min_length=1, max_length=500)]


class Kept(BaseModel):
    """How many decisions were new, and how far the project is now."""

    kept: int
    progress: Progress
