"""Many processes on one store: nothing that was acknowledged is lost, nobody is shown a locked database."""

from __future__ import annotations

import subprocess
import sys

import pytest
import store_worker

from tunesmith.core.database import Database
from tunesmith.core.store import Store

SIZES = [pytest.param(4, 25, id="quick"), pytest.param(8, 1000, id="full", marks=pytest.mark.faults)]


@pytest.mark.parametrize(("processes", "operations"), SIZES)
def test_no_operation_of_many_processes_is_lost(database, tmp_path, processes, operations):
    journals = [tmp_path / f"{number}.jsonl" for number in range(processes)]
    workers = [
        store_worker.context.Process(target=store_worker.work, args=(database, number, operations, journal))
        for number, journal in enumerate(journals)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * processes
    store = Store(database)
    said = store_worker.journaled(journals)
    assert len(said) > processes * operations / 2
    assert store_worker.lost(store, said) == []
    store.close()


def test_eight_processes_that_begin_at_once_make_the_tables_once(database):
    barrier = store_worker.context.Barrier(8)
    workers = [
        store_worker.context.Process(target=store_worker.begin, args=(database, barrier)) for _ in range(8)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 8
    store = Store(database)
    assert [release.label for release in store.releases()] == ["router@1"]
    store.close()


def test_a_process_that_leaves_does_not_take_the_log_from_one_that_has_two_stores(tmp_path):
    database = Database(tmp_path / "store.sqlite")
    first = Store(database)
    first.releases()
    second = Store(database)
    leaving = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('select 1 from releases')"
    subprocess.run([sys.executable, "-c", leaving, str(database.path)], check=True)
    # Without its log a server would read what was there before, and write where nobody looks.
    assert database.path.with_name("store.sqlite-wal").exists()
    second.close()
    first.close()
