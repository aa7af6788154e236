"""A store of each kind; every test that asks for one is made twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tunesmith.core.database import Database
from tunesmith.core.store import Store


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """Where nothing is yet."""
    url = None
    if request.param == "postgresql":
        import postgres

        url = postgres.empty_schema(request.getfixturevalue("postgresql"), "store")
    return Database(tmp_path / "workspace" / "store.sqlite", url)


@pytest.fixture
def store(database: Database) -> Iterator[Store]:
    """An open store that holds nothing."""
    made = Store(database)
    yield made
    made.close()
