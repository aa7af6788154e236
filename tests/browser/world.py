"""A workspace with real small runs, a data set, and rows that somebody began to label."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import httpx
from service import Server, tunesmith

BUILD = Path(__file__).parents[2] / "build" / "browser"
# A training of seconds takes minutes on a machine that is busy with other things.
PATIENCE_S = 300.0
T = TypeVar("T")
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
# Side by side, but versions of one release in their order.
CHAINS = (("router.yaml", "router-slow.yaml"), ("helper.yaml",))
GUIDELINE = """Choose what the customer wants, not what the customer is angry about.

card_arrival: a card that was ordered and is not there yet.
change_pin: a new number for a card, whatever the reason.
exchange_rate: what one currency costs in another.
top_up_failed: money that was paid in and did not arrive."""
BERT = "{architecture: bert, hidden: 32, layers: 2, heads: 2, vocab: 500, context: 64}"


@dataclass
class World:
    """A folder with data, recipes, and a workspace in which they were carried out."""

    folder: Path
    runs: dict[str, str] = field(default_factory=dict)
    dataset: str = ""
    key: str = ""

    @property
    def workspace(self) -> Path:
        return self.folder / ".tunesmith"

    def copy(self, target: Path) -> World:
        """The same world elsewhere, for a test that changes it."""
        shutil.copytree(self.folder, target)
        return replace(self, folder=target)


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
    about = done / "world.json"
    if not about.is_file():
        for old in BUILD.glob("*"):
            if old != done:
                shutil.rmtree(old)
        # What an interrupted session carried out is there and not done again.
        # Its own workspace: a developer's, further up, is found otherwise.
        (done / ".tunesmith").mkdir(parents=True, exist_ok=True)
        _write_data(done, shared_data)
        with ThreadPoolExecutor() as pool:
            chains = pool.map(
                lambda names: {name: _carry_out(done, name, recipes[name]) for name in names}, CHAINS
            )
            world = World(done, {name: run for chain in chains for name, run in chain.items()})
        tunesmith("models", "promote", "router@1", "--reason", "the first that is good enough", cwd=done)
        world.dataset, world.key = _furnish(world)
        about.write_text(json.dumps({"runs": world.runs, "dataset": world.dataset, "key": world.key}))
    return World(done, **json.loads(about.read_text()))


def _furnish(world: World) -> tuple[str, str]:
    """What people do in the page: rows to label, a data set with its profile, a key. Gives the last two."""
    server = Server(world).start()
    try:
        with server.client() as http:
            data = take_in(http, world.folder / "tickets.csv")
            job = _post(http, "jobs", kind="profile", dataset=data)
            _post(http, "labelling", files=[str(world.folder / "tickets.csv")], guideline=GUIDELINE)
            for number in range(30):
                _label(http, number)
            key = _post(http, "keys", name="help desk")["key"]
            until_over(http, str(job["id"]))
    finally:
        server.stop()
    return data, str(key)


def take_in(http: httpx.Client, file: Path) -> str:
    """Import a file of the server's machine; gives the data set."""
    done = until_over(http, _post(http, "jobs", kind="import", path=str(file))["id"])
    if done["status"] != "finished":
        raise RuntimeError(done["problems"])
    return str(done["subject"])


def _label(http: httpx.Client, number: int) -> None:
    """Somebody agrees with what is suggested for the next row."""
    [item] = _post(http, "labelling/tickets/next", count=1)["items"]
    answer = item["suggested"][0]["answer"]
    decision = {"event": f"decision-{number}", "item": item["number"], "answer": answer, "seconds": 2.5}
    _post(http, "labelling/tickets/decisions", decisions=[decision])


def _post(http: httpx.Client, path: str, /, **body: Any) -> dict[str, Any]:
    answer = http.post(f"/api/{path}", json=body)
    if answer.is_error:
        raise RuntimeError(answer.text)
    found: dict[str, Any] = answer.json()
    return found


def until_over(http: httpx.Client, job: str) -> dict[str, Any]:
    """Wait until a job is over; gives what it came to."""

    def over() -> dict[str, Any] | None:
        told: dict[str, Any] = http.get(f"/api/jobs/{job}").json()
        return told if told["status"] in ("finished", "failed", "cancelled") else None

    return until(over)


def until(wanted: Callable[[], T | None], seconds: float = PATIENCE_S) -> T:
    """Ask until the answer is one, and give it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := wanted():
            return found
        time.sleep(0.1)
    raise TimeoutError(f"nothing came of it in {seconds:.0f} s")


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
