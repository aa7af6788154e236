"""A workspace with two real runs of a tiny encoder, and a client of the routes over it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from ruamel.yaml import YAML

from tunesmith.core.runs import RunFolder, all_runs
from tunesmith.core.workspace import Workspace
from tunesmith.serve import errors
from tunesmith.studio.runs import routes
from tunesmith.studio.state import Studio
from tunesmith.workflow import plan, run

INTENTS = ("card_arrival", "change_pin", "exchange_rate", "top_up_failed")
BERT = {"architecture": "bert", "hidden": 32, "layers": 1, "heads": 2, "vocab": 500, "context": 64}


@pytest.fixture(scope="package")
def workspace(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Workspace:
    """Questions to a bank, learned by an encoder at two rates: the second run is the better one."""
    folder = tmp_path_factory.mktemp("studio-runs")
    with (shared_data / "cls_banking77" / "train.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], row["category"]) for row in csv.DictReader(file)]
    mine = [row for intent in INTENTS for row in [r for r in rows if r[1] == intent][:20]]
    with (folder / "questions.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *mine])
    recipe = {
        "task": "classify",
        "model": BERT,
        "data": {"source": "questions.csv", "split": {"test": 0.3, "validation": 0.1}},
        "train": {"epochs": 2, "batch_size": 8, "optimizer": {"name": "adamw", "lr": 1e-4}},
    }
    with (folder / "bank.yaml").open("w", encoding="utf-8") as file:
        YAML().dump(recipe, file)
    found = Workspace(folder / ".tunesmith")
    run.run(plan.make(folder / "bank.yaml", found, ()))
    run.run(plan.make(folder / "bank.yaml", found, ("train.optimizer.lr=3e-3", "train.epochs=6")))
    return found


@pytest.fixture(scope="package")
def studio(workspace: Workspace) -> Iterator[Studio]:
    """The Studio of that workspace."""
    made = Studio.over(workspace)
    yield made
    made.series.close()
    made.store.close()


@pytest.fixture(scope="package")
def client(studio: Studio) -> TestClient:
    """Somebody who may do everything."""
    app = FastAPI()
    routes.add_routes(app, studio)
    errors.install(app)
    return TestClient(app)


@pytest.fixture(scope="package")
def trained(workspace: Workspace) -> list[RunFolder]:
    """The runs, the older first."""
    return all_runs(workspace.runs)
