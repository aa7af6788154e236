"""A workspace with real small runs, and a real server over it that can be killed and started again."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BUILD = Path(__file__).parents[2] / "build" / "browser"
INTENTS = ("card_arrival", "change_pin", "exchange_rate", "top_up_failed")

TICKETS = """
task: classify
model: {model}
data:
  source: {{train: tickets.csv, test: held-out.csv}}
  split: {{validation: 0.1, overlap: drop}}
train:
  optimizer: {{name: adamw, lr: {lr}}}
  epochs: {epochs}
  batch_size: 8
publish: {{name: router}}
"""
TALKS = """
task: chat
model: {model}
data: {{source: talks.json, max_length: 160, split: {{test: 0.2, validation: 0.1}}}}
prompt: {{max_new_tokens: 24}}
train:
  method: {{name: lora, rank: 4}}
  optimizer: {{name: adamw, lr: 1e-2}}
  epochs: 2
publish: {{name: helper}}
"""
BERT = "{architecture: bert, hidden: 32, layers: 2, heads: 2, vocab: 500, context: 64}"


@dataclass
class World:
    """A folder with data, recipes, and a workspace in which they were carried out."""

    folder: Path
    runs: dict[str, str] = field(default_factory=dict)

    @property
    def workspace(self) -> Path:
        return self.folder / ".tunesmith"

    def copy(self, target: Path) -> World:
        """The same world elsewhere, for a test that changes it."""
        shutil.copytree(self.folder, target)
        return World(target, self.runs)


def make(shared_data: Path) -> World:
    """Carry out the runs, or find them as an earlier session left them."""
    story = shared_data / "weights" / "stories260K-hf"
    recipes = {
        "router.yaml": TICKETS.format(model=BERT, lr="3e-3", epochs=6),
        "router-slow.yaml": TICKETS.format(model=BERT, lr="1e-3", epochs=4),
        "helper.yaml": TALKS.format(model=story),
    }
    key = hashlib.sha256(json.dumps([recipes, Path(__file__).read_text()]).encode()).hexdigest()[:12]
    done = BUILD / key
    if not (done / "runs.json").is_file():
        shutil.rmtree(BUILD, ignore_errors=True)
        done.mkdir(parents=True)
        _write_data(done, shared_data)
        runs = {name: _carry_out(done, name, text) for name, text in recipes.items()}
        tunesmith("models", "promote", "router@1", "--reason", "the first that is good enough", cwd=done)
        (done / "runs.json").write_text(json.dumps(runs))
    return World(done, json.loads((done / "runs.json").read_text()))


def _write_data(folder: Path, shared_data: Path) -> None:
    for source, target, most in (("train.csv", "tickets.csv", 30), ("test.csv", "held-out.csv", 15)):
        with (shared_data / "cls_banking77" / source).open(encoding="utf-8", newline="") as file:
            rows = [(row["text"], row["category"]) for row in csv.DictReader(file)]
        chosen = [row for intent in INTENTS for row in [row for row in rows if row[1] == intent][:most]]
        with (folder / target).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *chosen])
    talks = json.loads((shared_data / "sft_alpaca_demo" / "alpaca_en_demo.json").read_text("utf-8"))
    (folder / "talks.json").write_text(json.dumps(talks[:40]), "utf-8")


def _carry_out(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, "utf-8")
    ran = tunesmith("run", name, "--json", cwd=folder)
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    run: str = json.loads(ran.stdout)["run"]
    return run


def tunesmith(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command line, as a user calls it."""
    command = [sys.executable, "-m", "tunesmith", *words]
    return subprocess.run(command, cwd=cwd, env=_environment(), capture_output=True, text=True, check=False)


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "LANG": "en_US.UTF-8"}


class Server:
    """`tunesmith studio` (or `serve MODEL`) over a world, in a process of its own."""

    def __init__(self, world: World, *words: str) -> None:
        self.world = world
        self.words = words or ("studio",)
        self.port = 0
        self.ready: dict[str, Any] = {}
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return str(self.ready["url"])

    @property
    def address(self) -> str:
        """What is printed at the start: the address with the token."""
        return str(self.ready["studio"])

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def start(self) -> Server:
        """Start, or start again at the same port."""
        command = [sys.executable, "-m", "tunesmith", *self.words, "--port", str(self.port), "--json"]
        self._process = subprocess.Popen(
            command, cwd=self.world.folder, env=_environment(), stdout=subprocess.PIPE, text=True
        )
        line = self._process.stdout.readline() if self._process.stdout else ""
        self.ready = json.loads(line)
        self.port = int(self.url.rsplit(":", 1)[1])
        return self

    def kill(self) -> None:
        """As a crash would: no word, no clean-up."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """As a user would; gives the exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(how)
        status = self._process.wait(timeout=30)
        if self._process.stdout:
            self._process.stdout.close()
        self._process = None
        return status
