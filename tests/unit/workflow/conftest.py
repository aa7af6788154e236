"""A desk to work at: a folder with real rows, a recipe of it, and a workspace that does not exist yet."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tunesmith.core.events import Event
from tunesmith.core.workspace import Workspace
from tunesmith.workflow import plan as planning
from tunesmith.workflow import run as running
from tunesmith.workflow.plan import Plan

INTENTS = ("card_arrival", "change_pin", "exchange_rate", "top_up_failed")
BERT = {"architecture": "bert", "hidden": 32, "layers": 1, "heads": 2, "vocab": 500, "context": 64}


@dataclass
class Desk:
    """A recipe and where it is carried out."""

    folder: Path
    values: dict[str, Any]
    name: str = "tickets.yaml"
    workspace: Workspace = field(init=False)

    def __post_init__(self) -> None:
        self.workspace = Workspace(self.folder / ".tunesmith")

    @property
    def recipe(self) -> Path:
        """The recipe file, written anew."""
        path = self.folder / self.name
        with path.open("w", encoding="utf-8") as file:
            YAML().dump(self.values, file)
        return path

    def plan(self, *overrides: str) -> Plan:
        return planning.make(self.recipe, self.workspace, overrides)

    def run(self, *overrides: str) -> dict[str, Any]:
        return running.run(self.plan(*overrides))

    def events(self, *overrides: str) -> list[Event]:
        return list(running.events(self.plan(*overrides)))


@pytest.fixture(scope="session")
def rows(shared_data: Path) -> list[tuple[str, str]]:
    """Twenty questions to a bank of each of four intents."""
    found: dict[str, list[tuple[str, str]]] = {intent: [] for intent in INTENTS}
    with (shared_data / "cls_banking77" / "train.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            mine = found.get(row["category"])
            if mine is not None and len(mine) < 20:
                mine.append((row["text"], row["category"]))
    return [row for mine in found.values() for row in mine]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write rows of text and label into a CSV file."""

    def make(rows: list[tuple[str, str]], name: str = "tickets.csv") -> Path:
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *rows])
        return tmp_path / name

    return make


@pytest.fixture
def desk(tmp_path: Path, write: Callable[..., Path], rows: list[tuple[str, str]]) -> Desk:
    """A classification with the linear model."""
    write(rows)
    return Desk(
        tmp_path,
        {
            "task": "classify",
            "model": "tfidf",
            "data": {"source": "tickets.csv", "split": {"test": 0.2, "validation": 0.1}},
        },
    )


@pytest.fixture
def bert(desk: Desk) -> Desk:
    """A classification with a tiny encoder."""
    optimizer = {"name": "adamw", "lr": 3e-3}
    desk.values |= {"model": dict(BERT), "train": {"epochs": 2, "batch_size": 8, "optimizer": optimizer}}
    return desk


@pytest.fixture
def chat(tmp_path: Path, shared_data: Path) -> Desk:
    """Twenty-four instructions for a small story teller."""
    found = json.loads((shared_data / "sft_alpaca_demo" / "alpaca_en_demo.json").read_text("utf-8"))
    (tmp_path / "talks.json").write_text(json.dumps(found[:24]), "utf-8")
    return Desk(
        tmp_path,
        {
            "task": "chat",
            "model": str(shared_data / "weights" / "stories260K-hf"),
            "data": {"source": "talks.json", "max_length": 160},
            "prompt": {"max_new_tokens": 6},
            "train": {"epochs": 4, "batch_size": 4, "optimizer": {"name": "adamw", "lr": 3e-3}},
        },
        name="assistant.yaml",
    )


@pytest.fixture
def weights() -> Callable[[Path], dict[str, bytes]]:
    """The bytes of all weights of a model folder."""
    return lambda folder: {path.name: path.read_bytes() for path in folder.glob("*.safetensors")}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Runs set the number of threads of the whole process; give it back."""
    import torch

    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
