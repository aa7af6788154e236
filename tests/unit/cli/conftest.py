"""The command line as a user calls it: arguments in, exit code, stdout and stderr out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tunesmith.cli.main import main
from tunesmith.core import durable
from tunesmith.core.store import Release, Store
from tunesmith.core.workspace import Workspace
from tunesmith.models import tfidf
from tunesmith.models.card import Card

TICKETS = (
    ("where is my card", "card"), ("my card has not arrived", "card"), ("the new card is late", "card"),
    ("我的卡还没有到", "card"), ("what is the exchange rate", "rate"), ("the rate was wrong today", "rate"),
    ("do you use the interbank rate", "rate"), ("今天的汇率是多少", "rate"),
)  # fmt: skip


@dataclass(frozen=True)
class Said:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on stdout; anything beside it is an error."""
        return json.loads(self.out)


Call = Callable[..., Said]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Call `tunesmith` in an empty folder, in English unless told otherwise."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNESMITH_LANG", "en")
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: object) -> Said:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return run


@pytest.fixture
def workspace(call: Call, tmp_path: Path) -> Workspace:
    """The workspace that commands find."""
    return Workspace(tmp_path / ".tunesmith")


@pytest.fixture
def publish(workspace: Workspace) -> Callable[[int], Release]:
    """Publish the next version of the classifier `router`, learned from the first rows."""

    def make(rows: int = len(TICKETS)) -> Release:
        texts, labels = zip(*TICKETS[:rows], strict=True)
        model = tfidf.fit(texts, labels, name="tfidf")
        made = workspace.models / "made"
        with durable.new_folder(made) as folder:
            model.save(folder)
            Card(kind="tfidf", task="classify", labels=model.labels).save(folder)
        digest = durable.digest(made)
        folder = made.rename(workspace.models / digest[:24])
        store = Store(workspace.database)
        release = store.publish("router", digest=digest, folder=folder, task="classify", lineage={})
        store.close()
        return release

    return make


@pytest.fixture
def router(publish: Callable[[], Release]) -> Release:
    """A classifier of tickets, published as router@1."""
    return publish()


@pytest.fixture
def tickets(tmp_path: Path) -> Path:
    """A file of labelled rows."""
    path = tmp_path / "tickets.csv"
    path.write_text("message,topic\n" + "".join(f"{text},{label}\n" for text, label in TICKETS), "utf-8")
    return path


@pytest.fixture
def environment() -> dict[str, str]:
    """What a process needs to import what this one does, wherever it starts."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in map(os.path.abspath, sys.path))}


@pytest.fixture(scope="session")
def stories(shared_data: Path) -> Path:
    """A folder with a tiny language model."""
    return shared_data / "weights" / "stories260K-hf"
