"""Serve, be corrected, learn, pass the gate, take over: while requests come in, and none of them fails."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

MARGIN = 0.10
"""By how much 50 corrections must raise accuracy on rows that nobody saw."""

RECIPE = """task: classify
model: tfidf
data:
  source:
    train: [rows.csv, "feedback:topics"]
    test: held.csv
  split: {validation: 0, overlap: drop}
eval: {gate: {accuracy: {not_worse_than: production}}}
publish: {name: topics}
"""


def tunesmith(*words: str, cwd: Path) -> str:
    command = [sys.executable, "-m", "tunesmith", *words]
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def shop(shared_data: Path, tmp_path: Path) -> Path:
    """Questions of eight intents: few to begin with, others that users will ask, and others held out."""
    import polars as pl

    rows = pl.read_csv(shared_data / "cls_banking77" / "train.csv").rename({"category": "label"})
    labels = sorted(rows["label"].unique())[:8]
    rows = rows.filter(pl.col("label").is_in(labels)).with_columns(at=pl.int_range(pl.len()).over("label"))
    for name, low, high in (("rows", 0, 3), ("asked", 20, 27), ("held", 40, 80)):
        part = rows.filter(pl.col("at").is_between(low, high - 1)).select("text", "label")
        part.write_csv(tmp_path / f"{name}.csv")
    (tmp_path / "topics.yaml").write_text(RECIPE)
    return tmp_path


@contextmanager
def served(cwd: Path) -> Iterator[str]:
    words = ["serve", "topics@production", "--port", "0", "--json", "--log-requests"]
    with subprocess.Popen(
        [sys.executable, "-m", "tunesmith", *words], cwd=cwd, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            yield json.loads(server.stdout.readline() if server.stdout else "{}")["url"]
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(timeout=60) == 0


class Users:
    """People who ask one question after the other, and note how they were answered."""

    def __init__(self, url: str) -> None:
        self.url, self.failed, self.models = url, 0, list[str]()
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Users:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._thread.join()

    def _ask(self) -> None:
        with httpx.Client(timeout=60) as client:
            while not self._leaving.wait(0.05):
                answer = client.post(f"{self.url}/v1/classify", json={"model": "topics", "input": "my card"})
                self.failed += answer.status_code != 200
                self.models.append(answer.json().get("model", ""))


def correct(url: str, rows: list[dict[str, str]]) -> None:
    with httpx.Client(base_url=url, timeout=60) as client:
        for row in rows:
            asked = client.post("/v1/classify", json={"model": "topics", "input": row["text"]})
            said = {"id": asked.headers["x-request-id"], "correction": row["label"]}
            assert client.post("/v1/feedback", json=said).status_code == 200


@pytest.mark.faults
def test_fifty_corrections_make_a_better_model_that_takes_over(shop: Path) -> None:
    import polars as pl

    first = json.loads(tunesmith("run", "topics.yaml", "--json", cwd=shop))
    tunesmith("models", "promote", "topics@1", "--alias", "production", "--reason", "the first", cwd=shop)
    with served(shop) as url, Users(url) as users:
        correct(url, pl.read_csv(shop / "asked.csv").to_dicts()[:50])
        time.sleep(1)  # the log is written by a thread of its own
        learned = json.loads(tunesmith("learn", "topics.yaml", "--promote", "--json", cwd=shop))
        end = time.monotonic() + 150
        while users.models[-1] != "topics@2" and time.monotonic() < end:
            time.sleep(0.1)
    assert learned["feedback"]["rows"] == 50
    assert learned["gate"]["passed"]
    assert learned["scores"]["accuracy"] >= first["scores"]["accuracy"] + MARGIN
    assert users.models[-1] == "topics@2"
    assert users.failed == 0
    again = json.loads(tunesmith("learn", "topics.yaml", "--promote", "--json", cwd=shop))
    assert again["status"] == "waiting"
