"""What the routes of models say."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

MAX_CARD = 100_000


class DoesNotFit(BaseModel):
    """Something that needs more memory than there is."""

    what: Literal["full", "lora", "serve"]
    needs_bytes: int
    usable_bytes: int


class Fit(BaseModel):
    """What a model needs on this machine, and the most that can be done with it here."""

    best: Literal["full", "lora", "serve", "none"]
    serve_bytes: int
    full_bytes: int
    lora_bytes: int
    memory_bytes: int
    does_not_fit: list[DoesNotFit]


class ModelRow(BaseModel):
    """One model of a list; what is not known of it is None. `problem` is the code of what damages it."""

    name: str
    kind: str | None
    family: str | None
    tasks: list[str]
    parameters: int | None
    languages: list[str]
    licence: str | None
    installed: bool
    fit: Fit | None
    aliases: list[str] = []
    created: float | None = None
    context: int | None = None
    source: str | None = None
    problem: str | None = None


class Models(BaseModel):
    """Models of the workspace and of the catalogue, and how much memory this machine has."""

    memory_bytes: int | None
    releases: list[ModelRow]
    catalogue: list[ModelRow]


class Tokenizer(BaseModel):
    """How a model cuts text."""

    kind: str
    size: int
    special: list[str]


class Contract(BaseModel):
    """What is put around what a user says."""

    digest: str
    template: str | None
    system: str | None
    stop: list[str]
    roles: list[str]
    tools: bool
    generation: dict[str, Any]


class Move(BaseModel):
    """That an alias was pointed to a version, from where, when and why."""

    alias: str
    version: int
    previous: int | None
    reason: str
    moved: float


class ModelPage(BaseModel):
    """Everything that is known about one model without loading it."""

    name: str
    kind: str | None
    family: str | None
    tasks: list[str]
    installed: bool
    parameters: int | None
    layers: int | None
    context: int | None
    tokenizer: Tokenizer | None
    languages: list[str]
    licence: str | None
    labels: list[str]
    contract: Contract | None
    fit: Fit | None
    base: str | None
    lineage: dict[str, Any]
    states: dict[str, str] = {}
    moves: list[Move] = []
    aliases: list[str]
    tags: list[str] = []
    digest: str | None
    created: float | None
    card: Annotated[str | None, Field(max_length=MAX_CARD)] = None


class Token(BaseModel):
    """One token of a text: its id, what it says, and where (in characters); a special one frames the text."""

    id: int
    text: str
    start: int
    end: int
    special: bool


class Tokens(BaseModel):
    """How a model cuts a text."""

    model: str
    tokens: list[Token]
    characters: int
