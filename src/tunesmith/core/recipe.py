"""What a user wants, complete and frozen: the schema of recipe.yaml.

This is the only place where recipe keys are defined; `core.recipe_file` reads and writes the file. The
settings of a component are not here: they are the keyword-only arguments of the component itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    ValidationInfo,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from tunesmith.core import components, own_code
from tunesmith.core.chosen import Component, From, checked, folder_of, known_name, named, told
from tunesmith.core.errors import TunesmithError


class Section(BaseModel):
    """A part of the recipe: frozen, and unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Cleaner = Annotated[Component, From(components.cleaners)]
Augmenter = Annotated[Component, From(components.augmenters)]
Loss = Annotated[Component, From(components.losses)]
Optimizer = Annotated[Component, From(components.optimizers)]
Schedule = Annotated[Component, From(components.schedules)]
Method = Annotated[Component, From(components.methods)]


TaskName = Annotated[str, known_name(components.tasks)]
MetricName = Annotated[str, known_name(components.metrics)]
SliceName = Annotated[str, Field(pattern=r"^[^=]+=.+$")]
Share = Annotated[float, Field(ge=0, lt=1)]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


TokenizerKind = Literal["bpe", "bpe_fallback", "wordpiece", "unigram", "characters"]


class _Fresh(Section):
    """A model that is made here and not found.

    Its tokenizer is trained on the data, or is that of another model: a folder or a model's name.
    """

    tokenizer: TokenizerKind | Annotated[str, Field(min_length=1)] = "bpe"
    vocab: int = Field(default=8192, ge=300, le=1_000_000)
    context: int = Field(default=512, ge=16, le=1_048_576)


class Scratch(_Fresh):
    """A model made from nothing, by size."""

    architecture: Literal[
        "llama", "qwen2", "qwen3", "mistral", "gemma", "phi", "gpt2", "bert", "roberta", "distilbert",
        "modernbert", "t5", "marian", "bart", "transformer", "transformer_decoder", "transformer_encoder",
    ]  # fmt: skip
    hidden: int = Field(default=288, ge=16, le=16384)
    layers: int = Field(default=6, ge=1, le=256)
    heads: int = Field(default=6, ge=1, le=256)
    kv_heads: int | None = Field(default=None, ge=1, le=256)
    dropout: float | None = Field(default=None, ge=0, lt=1)


class Own(_Fresh):
    """A model of the user's own: `code` is its `module:Class`, whose settings stand beside it."""

    code: str = Field(pattern=r"^[^:]+(:[^:]+)?:[A-Za-z_]\w*$")
    settings: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _of_the_class(cls, value: object, info: ValidationInfo) -> object:
        """Check what stands beside `code` against the signature of the class it names."""
        if not isinstance(value, dict) or not isinstance(value.get("code"), str) or ":" not in value["code"]:
            return value
        keys = [key for key in cls.model_fields if key != "settings"]
        given = {key: item for key, item in value.items() if key not in keys}
        try:
            found = own_code.find(value["code"], folder_of(info))
            schema = own_code.schema(found)
        except TunesmithError as error:
            raise told(error) from error
        settled = checked(schema, given, keys)
        # Defaults of a configuration may be made by functions: they are left to it.
        settings = settled.model_dump(exclude_unset=own_code.maker(found) is not found)
        return {**{key: value[key] for key in keys if key in value}, "settings": settings}

    @model_serializer(mode="wrap")
    def _beside(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        made: dict[str, Any] = handler(self)
        return {**{key: item for key, item in made.items() if key != "settings"}, **made["settings"]}


Made = Scratch | Own
"""A model that is made here, in place of one that is found by its name."""


def _model_kind(value: object) -> str:
    if isinstance(value, str):
        return "name"
    return "own" if isinstance(value, Own) or (isinstance(value, dict) and "code" in value) else "scratch"


OneModel = Annotated[
    Annotated[str, Field(min_length=1), Tag("name")]
    | Annotated[Scratch, Tag("scratch")]
    | Annotated[Own, Tag("own")],
    Discriminator(_model_kind),
]


ModelChoice = Annotated[
    list[OneModel],
    Field(min_length=1, max_length=16),
    BeforeValidator(lambda value: value if isinstance(value, list) else [value]),
]


class Split(Section):
    """How rows are divided: by shares of the whole, labels kept in proportion.

    Rows with the same `group`, and rows at least `similar` to each other (Jaccard similarity of character
    5-grams), go to the same part. With `time`, the newest rows are held out instead. `overlap` says what
    happens to rows to train on that a given or dated held-out part repeats.
    """

    test: Share = 0.1
    validation: Share = 0.1
    group: str | None = None
    time: str | None = None
    stratify: bool = True
    similar: float | None = Field(default=0.8, ge=0.5, le=1)
    overlap: Literal["stop", "drop", "keep"] = "stop"

    @model_validator(mode="after")
    def _goes_by_one_rule(self) -> Self:
        if self.time is not None and self.group is not None:
            raise PydanticCustomError("split_rules", "time and group go by different rules")
        return self

    @model_validator(mode="after")
    def _leaves_rows_to_learn_from(self) -> Self:
        if self.test + self.validation >= 1:
            shares = {"test": self.test, "validation": self.validation}
            raise PydanticCustomError("split_shares", "test and validation leave no rows", shares)
        return self


class Entry(Section):
    """One source: files, how often its rows to train on are repeated, and how many of its rows are taken.

    A `weight` of 2.5 repeats each row twice and half of them once more; one of 0.5 takes half of the rows.
    """

    path: str = Field(min_length=1)
    weight: float = Field(default=1.0, gt=0, le=1000)
    cap: int | None = Field(default=None, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _from_path(cls, value: object) -> object:
        return {"path": value} if isinstance(value, str) else value

    @model_serializer(mode="wrap")
    def _plainly(self, handler: SerializerFunctionWrapHandler) -> Any:
        return handler(self) if self.model_fields_set - {"path"} else self.path


def _by_split(value: object) -> object:
    """A path, an entry, or a list of them is the whole data; a mapping gives the splits."""
    if isinstance(value, str) or (isinstance(value, dict) and "path" in value):
        return {"all": [value]}
    if isinstance(value, list):
        return {"all": value}
    if isinstance(value, dict):
        return {k: v if isinstance(v, list) else [v] for k, v in value.items()}
    return value


SplitName = Literal["all", "train", "validation", "test"]
Source = Annotated[
    dict[SplitName, Annotated[list[Entry], Field(min_length=1)]],
    Field(min_length=1),
    BeforeValidator(_by_split),
]


class Augment(Section):
    """Rows that are made of those to train on, after dividing: `copies` of each of a `share` of them.

    A classifier that was fitted without the new rows must `agree` about their labels, or they are dropped.
    With so many `seeds` the model is trained with the new rows and without them, for the report to say what
    they brought; with 0 nobody asks.
    """

    by: list[Augmenter] = Field(min_length=1, max_length=16)
    copies: int = Field(default=1, ge=1, le=100)
    share: float = Field(default=1, gt=0, le=1)
    agree: Literal["tfidf", "none"] = "tfidf"
    seeds: int = Field(default=3, ge=0, le=20)


def _by_augmenters(value: object) -> object:
    """An augmenter or a list of them is all that is said."""
    if isinstance(value, list):
        return {"by": value}
    is_one = isinstance(value, str | Component) or (isinstance(value, dict) and "name" in value)
    return {"by": [value]} if is_one else value


class Data(Section):
    """Which rows, which columns are which fields, how they are cleaned and divided.

    The answers of a `teacher`, a model by its name, take the place of those of the rows to train on.
    """

    source: Source
    fields: dict[str, str] = {}
    clean: list[Cleaner] = Field(default=["normalise", "dedup"], validate_default=True)
    split: Split = Split()
    augment: Annotated[Augment, BeforeValidator(_by_augmenters)] | None = None
    balance: Literal["none", "up", "down", "weights"] = "none"
    on_error: Literal["stop", "drop"] = "stop"
    max_length: int | None = Field(default=None, ge=8, le=1_048_576)
    teacher: str | None = Field(default=None, min_length=1)


class Prompt(Section):
    """What is put around the user's text, over what the model brings; stored as its prompt contract."""

    template: str | None = None
    system: str | None = Field(default=None, max_length=20_000)
    max_new_tokens: int | None = Field(default=None, ge=1, le=1_048_576)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)


class EarlyStopping(Section):
    """Training ends when `patience` evaluations in a row have together gained no more than `min_delta`."""

    patience: int = Field(default=3, ge=1, le=1000)
    min_delta: float = Field(default=0, ge=0)


_BOUNDS = {"log": (float, int), "float": (float, int), "int": (int,)}


def _is_range(given: Mapping[str, list[Any]]) -> bool:
    if len(given) != 1:
        return False
    kind, values = next(iter(given.items()))
    if kind == "choice":
        return len(values) > 0
    numbers = len(values) == 2 and all(type(value) in _BOUNDS.get(kind, ()) for value in values)
    return numbers and values[0] < values[1] and (kind != "log" or values[0] > 0)


def _one_range(given: dict[str, list[Any]]) -> dict[str, list[Any]]:
    if not _is_range(given):
        raise PydanticCustomError("search_range", "a range, or values to choose from")
    return given


Range = Annotated[dict[str, list[Any]], AfterValidator(_one_range)]
"""What a setting may be: `{kind: [from, to]}`, or `{choice: [one, another]}`."""


class Search(Section):
    """Trainings with other settings, of which the one that does best on the validation part is kept.

    `space` says under dotted keys of `train` what each setting may be. No trial begins after `time`, written
    as 90s, 30m or 2h. With `prune`, a trial ends when it does worse than half of those before it did.
    """

    space: dict[str, Range] = Field(min_length=1, max_length=32)
    trials: int = Field(default=20, ge=1, le=10_000)
    time: str | None = Field(default=None, pattern=r"^[1-9]\d{0,6}[smh]$")
    prune: bool = False

    @property
    def seconds(self) -> float:
        """`time` in seconds."""
        if self.time is None:
            return math.inf
        return float(self.time[:-1]) * {"s": 1, "m": 60, "h": 3600}[self.time[-1]]


class Train(Section):
    """How the model learns.

    `batch_size` counts the rows of one optimizer step. `micro_batch_tokens` bounds what is computed at once:
    gradients are accumulated over as many micro-batches as a step needs, and the loss does not depend on it.
    `mixup` is the alpha of the Beta distribution by which rows of `classify` are mixed (Zhang et al. 2018).
    `metric` is what the best weights, early stopping and the choice between models go by: without it, the
    first of the task.
    """

    method: Method = named("full")
    loss: Loss = named("cross_entropy")
    optimizer: Optimizer = named("adamw")
    schedule: Schedule = named("linear")
    epochs: float = Field(default=3, gt=0, le=10_000)
    batch_size: int = Field(default=16, ge=1, le=1_048_576)
    micro_batch_tokens: Annotated[int, Field(ge=16, le=16_777_216)] | Literal["auto"] = "auto"
    checkpointing: bool | Literal["auto"] = "auto"
    clip: float = Field(default=1.0, gt=0)
    precision: Literal["auto", "bf16", "float32"] = "auto"
    sharding: Literal["none", "full"] = "none"
    on_bad_step: Literal["stop", "skip"] = "stop"
    spike: float | None = Field(default=None, gt=1)
    save_every: int | None = Field(default=None, ge=1)
    freeze: list[str] = []
    layer_decay: float = Field(default=1, gt=0, le=1)
    mixup: float | None = Field(default=None, gt=0, le=10)
    ema: float | None = Field(default=None, gt=0, lt=1)
    metric: MetricName | None = None
    keep: Literal["last", "best"] = "last"
    early_stopping: EarlyStopping | None = None
    evaluate_every: int | None = Field(default=None, ge=1)
    search: Search | None = None
    log_to: list[Literal["tensorboard", "mlflow", "wandb", "trackio"]] = []


class Bound(Section):
    """What a metric must reach for the gate to open.

    `better_than` holds when the difference on the same rows is more than chance, by `confidence`; with a
    `margin`, `not_worse_than` holds when the model is less than that worse by the same measure, and without
    one when its figure is not lower. `slices` has the worst figures that are allowed on parts of the rows.
    """

    at_least: float | None = None
    at_most: float | None = None
    not_worse_than: str | None = None
    better_than: str | None = None
    margin: float | None = Field(default=None, ge=0)
    confidence: float = Field(default=0.95, ge=0.5, lt=1)
    slices: dict[SliceName, float] = {}


class Limits(Section):
    """What the gate asks beside scores: of weights (10^6 bytes), of time, of warnings about the data.

    `latency_ms` is for one row alone, and for one token of models that write.
    """

    size_mb: float | None = Field(default=None, gt=0)
    latency_ms: float | None = Field(default=None, gt=0)
    data_warnings: int | None = Field(default=None, ge=0)
    forgetting: float | None = Field(default=None, ge=0, le=1)


class Eval(Section):
    """What is measured on the test part, beside what, and what must hold."""

    metrics: list[MetricName] = []
    slices: list[str] = []
    against: list[str] = []
    gate: dict[MetricName, Bound] = {}
    limits: Limits = Limits()
    forgetting: bool = False


class Publish(Section):
    """Under which name and alias the model is registered when its gate is open."""

    name: Identifier
    alias: Identifier = "candidate"


class Lock(Section):
    """What a finished run was made of; a recipe that carries it is held to it."""

    versions: dict[str, str]
    sources: dict[str, str]
    model: str
    threads: int
    memory: int | None = None


class Recipe(Section):
    """One piece of work, from raw rows to a published model.

    Of several models each is trained, and the one that does best on the validation part is kept.
    """

    recipe: Literal[1] = 1
    task: TaskName
    model: ModelChoice
    data: Data
    prompt: Prompt = Prompt()
    train: Train = Train()
    eval: Eval = Eval()
    publish: Publish | None = None
    seed: int = Field(default=0, ge=0, le=2**63 - 1)
    lock: Lock | None = None

    @model_validator(mode="before")
    @classmethod
    def _loss_of_the_task(cls, value: object) -> object:
        """Where the recipe names no loss, it is the first of the task's."""
        if not isinstance(value, dict) or value.get("task") not in components.tasks.names():
            return value
        given = value.get("train", {})
        train = given.model_dump(exclude_unset=True) if isinstance(given, Train) else given
        own = components.tasks.get(value["task"]).losses[0]  # type: ignore[attr-defined]
        if not isinstance(train, dict) or "loss" in train or own == Train.model_fields["loss"].default:
            return value
        return {**value, "train": {**train, "loss": own}}
