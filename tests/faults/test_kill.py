"""kill -9 at any moment of a training: continued, it comes to the bytes of a run that nobody touched."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core import runs
from tunesmith.core.runs import RunFolder
from tunesmith.core.workspace import Workspace
from tunesmith.workflow import sample

TRAIN = "epochs: 2, batch_size: 8, save_every: 2, optimizer: {name: adamw, lr: 1e-3}"
SIZE = "hidden: 32, layers: 2, heads: 2, vocab: 500, context: 64"
ROWS = "source: messages.csv, on_error: drop, split: {test: 0.1, validation: 0.1}"
RECIPE = f"""\
task: classify
model: {{architecture: bert, {SIZE}}}
data: {{{ROWS}}}
train: {{{TRAIN}}}
publish: {{name: router}}
"""
SEARCH = f"""\
task: classify
model: {{architecture: bert, {SIZE}}}
data: {{{ROWS}}}
train:
  epochs: 1
  batch_size: 8
  save_every: 2
  search: {{trials: 2, space: {{optimizer.lr: {{log: [1.0e-4, 1.0e-2]}}, batch_size: {{choice: [8, 16]}}}}}}
"""
# What else learns, in `make test-faults`.
OTHERS = {
    "decoder": f"""\
task: generate
model: {{architecture: llama, {SIZE}}}
data: {{source: messages.txt, on_error: drop, split: {{test: 0.1, validation: 0.1}}}}
train: {{{TRAIN}}}
""",
    "decoder, lora": f"""\
task: generate
model: tiny-zh-en
data: {{source: messages.txt, on_error: drop, max_length: 64, split: {{test: 0.1, validation: 0.1}}}}
train: {{method: {{name: lora, rank: 4, dropout: 0.1}}, {TRAIN}}}
""",
    "encoder-decoder": f"""\
task: translate
model: {{architecture: t5, {SIZE}}}
data: {{source: pairs.csv, on_error: drop, split: {{test: 0.1, validation: 0.1}}}}
train: {{{TRAIN}}}
""",
}
# The long trials are run by `make test-faults`.
QUICK, LONG = range(1), range(1, 23)
PATIENCE_S = 60


class Trainer:
    """The process that trains in processes."""

    def __init__(self) -> None:
        paths = os.pathsep.join(os.path.abspath(path) for path in sys.path)
        environment = {
            **os.environ,
            "PYTHONPATH": paths,
            "OMP_NUM_THREADS": "1",
            "TOKENIZERS_PARALLELISM": "false",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(Path(__file__).with_name("trainer.py"))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip

    def start(self, recipe: Path, workspace: Workspace) -> int:
        """Begin a run, or continue it; the process that does."""
        return int(self._ask(f"{recipe}\t{workspace.root}"))

    def wait(self) -> int:
        """How it ended."""
        return int(self._ask(""))

    def _ask(self, line: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def close(self) -> None:
        assert self.process.stdin is not None
        with self.process:
            self.process.stdin.close()


@dataclass(frozen=True)
class Whole:
    """The run that nobody touched: its weights, its curve, and how long it took from the first step on."""

    recipe: Path
    weights: dict[str, bytes]
    curve: list[Any]
    seconds: float


@pytest.fixture(scope="module")
def trainer() -> Iterator[Trainer]:
    made = Trainer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def whole(trainer: Trainer, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return carried_out(trainer, tmp_path_factory.mktemp("whole"), RECIPE)


def carried_out(trainer: Trainer, folder: Path, text: str) -> Whole:
    """The run of a recipe over some of the sample's messages."""
    sample.write(folder / "all.csv", language="en")
    with (folder / "all.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[:121]
    with (folder / "messages.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    messages = [row[rows[0].index("message")] for row in rows[1:]]
    (folder / "messages.txt").write_text("\n".join(messages), "utf-8")
    with (folder / "pairs.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("source", "target"), *((text, text.upper()) for text in messages)])
    recipe = folder / "recipe.yaml"
    recipe.write_text(text, "utf-8")
    workspace = Workspace(folder / "workspace")
    trainer.start(recipe, workspace)
    assert trainer.wait() == 0
    run = run_of(workspace)
    times = {record["event"]: record["time"] for record in reversed(list(run.events.records()))}
    return Whole(recipe, weights(run), curve(run), times["Completed"] - times["Step"])


def run_of(workspace: Workspace) -> RunFolder:
    (run,) = runs.all_runs(workspace.runs)
    return run


def weights(run: RunFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run.model.glob("*.safetensors")}


def curve(run: RunFolder) -> list[Any]:
    found: list[Any] = json.loads(run.report.read_text("utf-8"))["curve"]
    return found


def first_step(workspace: Workspace) -> None:
    """Wait until the first step is said."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        for log in workspace.runs.glob("*/events.jsonl"):
            if b'"Step"' in log.read_bytes():
                return
        time.sleep(0.001)
    raise AssertionError("no step was said")


def kill(trainer: Trainer, whole: Whole, folder: Path, moment: float) -> Workspace:
    """A run that was killed after that share of its time; sooner, if it was faster this time."""
    for attempt in range(10):
        workspace = Workspace(folder / f"workspace-{attempt}")
        process = trainer.start(whole.recipe, workspace)
        first_step(workspace)
        time.sleep(moment * whole.seconds)
        os.kill(process, signal.SIGKILL)
        if trainer.wait() == -signal.SIGKILL:
            return workspace
        moment *= 0.7
    raise AssertionError("every run was faster than its killer")


def trial(trainer: Trainer, whole: Whole, folder: Path, seed: int) -> RunFolder:
    workspace = kill(trainer, whole, folder, random.Random(seed).uniform(0, 0.9))
    assert run_of(workspace).status() in ("interrupted", "finished")
    trainer.start(whole.recipe, workspace)
    assert trainer.wait() == 0
    run = run_of(workspace)
    assert run.status() == "finished"
    assert weights(run) == whole.weights
    assert curve(run) == whole.curve
    assert not list(run.path.glob(".tmp-*"))
    return run


@pytest.mark.parametrize("seed", QUICK)
def test_a_killed_run_continues_to_the_same_bytes(
    trainer: Trainer, whole: Whole, tmp_path: Path, seed: int
) -> None:
    trial(trainer, whole, tmp_path, seed)


@pytest.mark.parametrize(
    ("trials", "seeds"),
    [(2, range(1)), pytest.param(5, range(1, 6), marks=pytest.mark.faults)],
    ids=["once", "often"],
)
def test_a_killed_search_tries_the_same_and_comes_to_the_same_bytes(
    trainer: Trainer, tmp_path: Path, trials: int, seeds: range
) -> None:
    (tmp_path / "whole").mkdir()
    whole = carried_out(trainer, tmp_path / "whole", SEARCH.replace("trials: 2", f"trials: {trials}"))
    tried = searched(Workspace(whole.recipe.parent / "workspace"))
    for seed in seeds:
        (tmp_path / str(seed)).mkdir()
        run = trial(trainer, whole, tmp_path / str(seed), seed)
        assert searched(Workspace(run.path.parent.parent)) == tried


def searched(workspace: Workspace) -> list[Any]:
    """The trials of a run: what was tried, and what it came to."""
    result = run_of(workspace).result()
    assert result is not None
    return [(one["values"], one["figure"]) for one in result["search"]["trials"]]


@pytest.mark.faults
@pytest.mark.parametrize("seed", LONG)
def test_a_run_killed_at_a_random_moment_continues_to_the_same_bytes(
    trainer: Trainer, whole: Whole, tmp_path: Path, seed: int
) -> None:
    trial(trainer, whole, tmp_path, seed)


@pytest.mark.faults
@pytest.mark.parametrize("kind", OTHERS)
def test_whatever_learns_continues_to_the_same_bytes(trainer: Trainer, tmp_path: Path, kind: str) -> None:
    (tmp_path / "whole").mkdir()
    whole = carried_out(trainer, tmp_path / "whole", OTHERS[kind])
    for seed in range(2):
        (tmp_path / str(seed)).mkdir()
        trial(trainer, whole, tmp_path / str(seed), seed)


@pytest.mark.faults
def test_a_run_that_is_killed_again_and_again_gets_there(
    trainer: Trainer, whole: Whole, tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path / "workspace")
    dice = random.Random(0)
    for _ in range(10):
        process = trainer.start(whole.recipe, workspace)
        first_step(workspace)
        time.sleep(dice.uniform(0.02, 0.3) * whole.seconds)
        os.kill(process, signal.SIGKILL)
        trainer.wait()
    trainer.start(whole.recipe, workspace)
    assert trainer.wait() == 0
    assert weights(run_of(workspace)) == whole.weights
    assert curve(run_of(workspace)) == whole.curve
