"""tunesmith.json: what a model folder is, beside what its weights say.

A folder without it is somebody else's `transformers` folder; its card is read off config.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from tunesmith.core.errors import ModelError
from tunesmith.models.json_file import read_json

FILE = "tunesmith.json"
Kind = Literal[
    "language",
    "encoder",
    "encoder_decoder",
    "classifier",
    "tagger",
    "reader",
    "embedder",
    "scorer",
    "masked",
    "tfidf",
]
TASKS: Mapping[Kind, tuple[str, ...]] = {
    "language": ("generate", "chat", "prefer"),
    "encoder": ("classify", "tag", "answer", "embed", "score", "mask"),
    "encoder_decoder": ("translate", "summarise"),
    "classifier": ("classify",),
    "tagger": ("tag",),
    "reader": ("answer",),
    "embedder": ("embed",),
    "scorer": ("score",),
    "masked": ("mask",),
    "tfidf": ("classify",),
}
"""What a model that was not trained for one task yet can be trained for."""


UNANSWERABLE = "unanswerable"
"""The label of models that may find that a text does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The model an adapter belongs to: its name, where it was, and the sha256 of its weights."""

    name: str
    folder: str
    weights: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The class a model of the user's own is made of: `module:Class`, its settings, the sha256 of its file.

    `head` says that an output head was put on it.
    """

    target: str
    settings: Mapping[str, Any]
    sha256: str
    head: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a model is for and where it comes from; `several` says that a text may have several labels."""

    kind: Kind
    task: str | None = None
    labels: tuple[str, ...] = ()
    several: bool = False
    context: int = 512
    base: Base | None = None
    code: Code | None = None
    lineage: dict[str, Any] = field(default_factory=dict[str, Any])

    def save(self, folder: Path) -> None:
        """Write tunesmith.json."""
        content = json.dumps({"format": 1, **asdict(self)}, ensure_ascii=False, indent=1)
        (folder / FILE).write_text(content, encoding="utf-8")


def read(folder: Path) -> Card:
    """The card of a model folder.

    Raises:
        ModelError: M04 when the folder holds no model, M06 when a file is damaged.
    """
    content = read_json(folder / FILE)
    if not content:
        return _foreign(folder)
    try:
        base = _found_again(Base(**content["base"]), folder) if content["base"] else None
        code = Code(**content["code"]) if content.get("code") else None
        return Card(
            kind=content["kind"], task=content["task"], labels=tuple(content["labels"]),
            several=content.get("several", False), context=content["context"],
            base=base, code=code, lineage=content["lineage"],
        )  # fmt: skip
    except (KeyError, TypeError) as error:
        raise ModelError("M06", file=folder / FILE, reason=str(error)) from error


def _found_again(base: Base, folder: Path) -> Base:
    """The base, beside the adapter if a whole workspace was moved; whoever uses it compares its weights."""
    beside = folder.absolute().parent / Path(base.folder).name
    return base if Path(base.folder).is_dir() or not beside.is_dir() else replace(base, folder=str(beside))


def _foreign(folder: Path) -> Card:
    config = read_json(folder / "config.json")
    if not config:
        raise ModelError("M04", file=folder)
    names = config.get("architectures") or []
    causal = any(str(name).endswith(("ForCausalLM", "LMHeadModel")) for name in names)
    kind: Kind = (
        "encoder_decoder" if config.get("is_encoder_decoder") else "language" if causal else "encoder"
    )
    context = config.get("max_position_embeddings") or config.get("n_positions") or 512
    return Card(kind=kind, context=int(context))
