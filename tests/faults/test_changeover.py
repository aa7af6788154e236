"""Fifty changes of a released model, each in a process of its own, while it answers: nobody notices."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import httpx
import pytest

from tunesmith.core import durable, uses
from tunesmith.core.store import Store
from tunesmith.core.workspace import Workspace
from tunesmith.models import tfidf
from tunesmith.models.card import Card
from tunesmith.serve.following import Follower
from tunesmith.serve.server import serving as listening
from tunesmith.workflow.serving import serving

pytestmark = pytest.mark.faults
CHANGES = 50


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Two releases; each calls what it says by its version."""
    workspace = Workspace(tmp_path / ".tunesmith")
    for version in ("1", "2"):
        folder = workspace.models / version
        model = tfidf.fit(["good day", "bad night"] * 4, [f"{version} good", f"{version} bad"] * 4, name="m")
        with durable.new_folder(folder) as made:
            model.save(made)
            Card(kind="tfidf", task="classify", labels=model.labels).save(made)
        Store(workspace.database).publish(
            "m", digest=durable.digest(folder), folder=folder, task="classify", lineage={}
        )
    Store(workspace.database).move("m", "production", 1, expected=None, reason="")
    return workspace


def test_fifty_changes_under_load_fail_no_request_and_mix_no_answer(workspace: Workspace) -> None:
    store, done, said = Store(workspace.database), threading.Event(), list[tuple[int, str, set[str]]]()

    def ask() -> None:
        with httpx.Client(base_url=url, timeout=60) as http:
            while not done.wait(0.01):
                answer = http.post("/v1/classify", json={"model": "m", "input": ["good day", "bad night"]})
                body = answer.json()
                labels = {"m@" + row["label"].split()[0] for row in body.get("data", [])}
                said.append((answer.status_code, body.get("model", ""), labels))

    made = serving(["m@production"], workspace)
    with Follower(made.deployments, made.sources, every_s=0.05), listening(made.deployments) as url:
        clients = [threading.Thread(target=ask) for _ in range(4)]
        for client in clients:
            client.start()
        try:
            for change in range(CHANGES):
                old, new = 1 + change % 2, 2 - change % 2
                store.move("m", "production", new, expected=old, reason="")
                end = time.monotonic() + 120
                while made.deployments.named("m").name != f"m@{new}" and time.monotonic() < end:
                    time.sleep(0.01)
                assert made.deployments.named("m").name == f"m@{new}"
        finally:
            done.set()
            for client in clients:
                client.join()
        time.sleep(4)  # whoever was replaced is given a moment
        assert [*uses.used(workspace)] == [workspace.models / "1"]
    assert {status for status, _, _ in said} == {200}
    assert all(labels == {name} for _, name, labels in said)
    assert len(said) > 10 * CHANGES
