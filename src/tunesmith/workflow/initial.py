"""The first recipe: what a file's rows look like decides the task, the fields, the model and the settings."""

from __future__ import annotations

import importlib.util
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.core import components, text
from tunesmith.core.errors import Problem
from tunesmith.core.recipe import Data
from tunesmith.data.loading import ROW_CODES, SourceReport, stop_for
from tunesmith.data.mapping import recognise
from tunesmith.data.prepare import inspect
from tunesmith.data.reading import open_file
from tunesmith.data.rows import Loaded, load
from tunesmith.data.shapes import (
    ANSWERED,
    COMPARED,
    CONTRASTED,
    LABELLED,
    MESSAGES,
    MULTILABELLED,
    PAIRED,
    PREFERRED,
    RATED,
    SCORED,
    TAGGED,
    TEXT,
)
from tunesmith.models import catalogue
from tunesmith.workflow.settling import task_of

if TYPE_CHECKING:
    from tunesmith.tasks.task import Task

Model = str | dict[str, str | int]
"""A name, or the size of a model to be made."""

_TASKS = {
    LABELLED: "classify", MULTILABELLED: "classify", SCORED: "score", TAGGED: "tag", ANSWERED: "answer",
    MESSAGES: "chat", PREFERRED: "prefer", RATED: "prefer", PAIRED: "translate", TEXT: "generate",
    CONTRASTED: "embed", COMPARED: "embed",
}  # fmt: skip
_BERT: Model = {"architecture": "bert", "hidden": 192, "layers": 3, "heads": 6, "vocab": 8192}
_LLAMA: Model = {"architecture": "llama", "hidden": 192, "layers": 4, "heads": 6, "vocab": 8192}
_PAIR: Model = {"architecture": "transformer", "hidden": 192, "layers": 2, "heads": 4, "vocab": 6000}
_ENCODERS = ("classify", "tag", "answer", "embed", "score", "mask")
# What tasks of decoders and encoder-decoders start from, with the learning rate that suits it.
_STARTS: Mapping[str, tuple[Model, str]] = {
    "chat": (_LLAMA, "1e-3"),
    "generate": (_LLAMA, "1e-3"),
    "prefer": ("tiny-zh-en", "3e-4"),
    "translate": (_PAIR, "1.5e-3"),
    "summarise": (_PAIR, "1.5e-3"),
}
# Gates that are proposed where a baseline would say too little.
_GATES = {
    "labelled": "{macro_f1: {at_least: 0.8}}",
    "text": "{perplexity: {at_most: 20}}",
    "messages": "{perplexity: {at_most: 20}}",
}
# File names that say what part of the data a file is, and not what it is about.
_PARTS = ("train", "training", "data", "dataset", "dev", "test", "all")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_MOSTLY = 0.3
_LOOKED_AT = 1000
# A model learns little from fewer rows than these, counted over all epochs.
_ROWS_SEEN = 6000


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A recipe to be written: its text, what it is for, and what was found in the file.

    `problems` are those of single rows, which the recipe leaves out; `warnings` what was guessed.
    """

    task: str
    model: Model
    text: str
    source: SourceReport | None = None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the recipe depends on."""

    task: Task
    source: str
    rows: int = 1000
    chinese: bool = False
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    drop: bool = False


def usual_task(shape: str) -> str:
    """What one trains on rows of a shape, when nothing else is said."""
    return _TASKS[shape]


def draft(file: Path | None, *, task: str | None, out: Path, lang: str) -> Draft:
    """A recipe for a file, or one to fill in; `out` is where it will stand, its comments are in `lang`.

    Raises:
        RecipeError: R06 when there is no such task.
        NotFoundError, DataError: when the file cannot be learned from.
    """
    if file is None:
        return _write(_Seen(task=components.tasks.get(task or "classify")(), source="data.csv"), out, lang)
    name = task or usual_task(recognise(open_file(file).sample))
    made = task_of(name, Data.model_validate({"source": str(file.absolute())}), file.absolute().parent)
    loaded = _look(file, made)
    source = loaded.sources[0]
    seen = _Seen(
        task=made,
        source=_relative(file, out),
        rows=loaded.frame.height,
        chinese=_is_chinese(made.texts(loaded.frame.head(_LOOKED_AT))),
        fields=source.mapping if source.kind in ("text_label", "text") else {},
        drop=bool(loaded.problems),
    )
    return replace(
        _write(seen, out, lang, source), problems=tuple(loaded.problems), warnings=tuple(loaded.warnings)
    )


def _look(file: Path, task: Task) -> Loaded:
    """Rows and their problems; whatever no recipe could heal is raised."""
    here = {"source": str(file.absolute())}
    dropping = Data.model_validate({**here, "on_error": "drop"})
    stop_for(inspect(dropping, shape=task.shape, base=file.absolute().parent))
    loaded = load(Data.model_validate(here), shape=task.shape, base=file.absolute().parent)
    stop_for([problem for problem in loaded.problems if problem.code not in ROW_CODES])
    return loaded


def _relative(file: Path, out: Path) -> str:
    path, base = file.absolute(), out.absolute().parent
    return str(path.relative_to(base) if path.is_relative_to(base) else path)


def _is_chinese(texts: Sequence[str]) -> bool:
    letters = [character for shown in texts for character in shown[:500] if character.isalpha()]
    chinese = sum(1 for character in letters if _CHINESE.match(character))
    return chinese > _MOSTLY * max(1, len(letters))


def _write(seen: _Seen, out: Path, lang: str, source: SourceReport | None = None) -> Draft:
    model, settings = _model(seen)
    name, shape = seen.task.name, seen.task.shape
    parts = {
        "file": out.name,
        "task": name,
        "source": scalar(seen.source),
        "fields": _fields(seen.fields),
        "on_error": "drop" if seen.drop else "stop",
        "name": _name(Path(seen.source) if source is None else out.absolute().parent / seen.source),
        "model": model if isinstance(model, str) else _flow(model),
        "epochs": _epochs(seen, model),
        "metrics": f"[{', '.join(seen.task.metrics[:2])}]",
        "gate": _gate(seen.task),
        "more_models": text.say(f"initial.{'encoders' if name in _ENCODERS else 'decoders'}", lang),
        "against": text.say("initial.against", lang) if shape == LABELLED else "",
        "note": text.say("initial.note", lang) if source is None else "",
        **settings,
    }
    return Draft(
        task=name,
        model=model,
        text=text.say("initial.recipe", lang, **parts),
        source=source,
    )


def _model(seen: _Seen) -> tuple[Model, dict[str, Any]]:
    """The model to start from, and the learning rate and schedule that suit it."""
    if (name := seen.task.name) in _STARTS:
        start, rate = _STARTS[name]
        return start, {"lr": rate, "schedule": "cosine"}
    if seen.chinese:
        return _BERT, {"lr": "5e-4", "schedule": "linear"}
    module = catalogue.entries()["minilm"].module
    is_there = module is not None and importlib.util.find_spec(module) is not None
    unpacked = "tfidf" if seen.task.shape == LABELLED else _BERT
    return "minilm" if is_there else unpacked, {"lr": "2e-4", "schedule": "linear"}


def _gate(task: Task) -> str:
    """No worse than the strongest baseline, or what says more."""
    if task.name == "prefer":
        return "{reward_margin: {at_least: 0}}"
    if task.name == "mask":
        return "{masked_accuracy: {at_least: 0.2}}"
    usual = f"{{{task.metrics[0]}: {{not_worse_than: {task.baselines[-1]}}}}}" if task.baselines else ""
    return _GATES.get(task.shape, usual)


def _epochs(seen: _Seen, model: Model) -> int:
    least, most = (3, 10) if model == "minilm" else (5, 20)
    return max(least, min(most, math.ceil(_ROWS_SEEN / max(1, seen.rows))))


def _fields(mapping: Mapping[str, str]) -> str:
    if not mapping:
        return ""
    return f"  fields: {_flow(mapping)}\n"


def _flow(mapping: Mapping[str, str | int]) -> str:
    inner = (f"{key}: {scalar(v) if isinstance(v, str) else v}" for key, v in mapping.items())
    return "{" + ", ".join(inner) + "}"


def _name(source: Path) -> str:
    """What the model is published as: the file's name, or its folder's where that says more."""
    for part in (source.name.partition(".")[0], source.parent.name):
        name = re.sub(r"[^a-z0-9_-]+", "-", part.lower()).strip("-_")
        if name and name not in _PARTS:
            return name[:64]
    return "model"


def scalar(value: str) -> str:
    """A text as YAML 1.2: as it is where that is safe, else in double quotes."""
    words = ("true", "false", "null", "yes", "no")
    if re.fullmatch(r"[^\W\d_][\w./-]*", value) and value.lower() not in words:
        return value
    return json.dumps(value, ensure_ascii=False)
