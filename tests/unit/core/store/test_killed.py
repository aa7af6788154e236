"""kill -9 of two writers at any moment: nothing acknowledged is lost, and what is left behind is mended."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest
import store_worker

from tunesmith.core.repair import Visit, examine
from tunesmith.core.store import Store
from tunesmith.core.workspace import Workspace

ROUNDS = [pytest.param(3, id="quick"), pytest.param(200, id="full", marks=pytest.mark.faults)]
LOOK, MEND = Visit(mend=False, grace_s=0), Visit(mend=True, grace_s=0)
# A new workspace now and then: looking through all that was ever done takes longer and longer.
KEPT = 20
PATIENCE_S = 60


@pytest.mark.parametrize("rounds", ROUNDS)
def test_nothing_acknowledged_is_lost_when_writers_are_killed(database, tmp_path, rounds):
    rng, journals = random.Random(7), []
    for number in range(rounds):
        if number % KEPT == 0:
            workspace = Workspace(tmp_path / f"{number}" / ".tunesmith", database.url)
            journals = []
            begin(workspace)
        mine = [workspace.root.parent / f"{number}-{writer}.jsonl" for writer in range(2)]
        kill(workspace.database, mine, rng)
        journals += mine
        store = Store(workspace.database)
        assert store_worker.lost(store, store_worker.journaled(journals)) == [], f"round {number}"
        store.close()
        assert [found for found in examine(workspace, MEND) if not found.mended] == [], f"round {number}"
        assert examine(workspace, LOOK) == [], f"round {number}"


def begin(workspace: Workspace) -> None:
    """An empty store, and the runs that writers put tags on."""
    if workspace.store is not None:
        import postgres

        postgres.empty_schema(workspace.store.partition("?")[0], "store")
    for name in store_worker.NAMES:
        (workspace.runs / name).mkdir(parents=True)
        (workspace.runs / name / "recipe.lock.yaml").touch()


def kill(database, journals, rng):
    """Let two writers work, and kill them at a moment that nobody chose."""
    for journal in journals:
        journal.parent.mkdir(parents=True, exist_ok=True)
        journal.touch()
    writers = [
        store_worker.context.Process(
            target=store_worker.work, args=(database, rng.getrandbits(30), 10**6, journal)
        )
        for journal in journals
    ]
    for writer in writers:
        writer.start()
    ends = time.monotonic() + PATIENCE_S
    while not all(journal.stat().st_size for journal in journals) and time.monotonic() < ends:
        time.sleep(0.005)
    time.sleep(rng.uniform(0, 0.2))
    for writer in rng.sample(writers, 2):
        os.kill(writer.pid, signal.SIGKILL)
    for writer in writers:
        writer.join()
        assert writer.exitcode == -signal.SIGKILL
