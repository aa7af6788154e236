"""A store of the first version is brought up to date with all it holds, once, and a copy stays."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tunesmith.core.database import Database
from tunesmith.core.store import Store, migrating
from tunesmith.core.store.postgresql import Postgresql
from tunesmith.core.store.sqlite import Sqlite
from tunesmith.core.store.tables import metadata

LINEAGE = {"run": "r1", "scores": {"accuracy": 0.5}}
FIRST = {
    "releases": [
        {"name": "router", "version": version, "digest": str(version) * 64, "folder": f"/models/{version}",
         "task": "classify", "lineage": LINEAGE, "created": 1e9 + version} for version in (1, 2)
    ],
    "aliases": [{"name": "router", "alias": "production", "version": 2}],
    "alias_moves": [
        {"name": "router", "alias": "production", "version": version, "previous": before, "reason": "",
         "moved": 1e9} for version, before in ((1, None), (2, 1))
    ],
    "keys": [{"id": "00000000", "name": "app", "mac": "0" * 64, "scopes": ["serve"], "created": 1e9,
              "revoked": None}],
}  # fmt: skip


@pytest.fixture
def first(database: Database) -> Database:
    """A database as the first version left it."""
    backend = Sqlite(database.path) if database.url is None else Postgresql(database)
    with backend.writing() as connection:
        migrating.to(connection, "0001")
        for name, rows in FIRST.items():
            table = metadata.tables[name]
            connection.execute(table.insert(), rows)
    backend.close()
    return database


def test_what_the_first_version_wrote_is_there_in_the_newest(first):
    store = Store(first)
    assert [(r.label, r.aliases, r.lineage) for r in store.releases()] == [
        ("router@1", (), LINEAGE), ("router@2", ("production",), LINEAGE)
    ]  # fmt: skip
    assert store.tag("release", "router@1", ["old"]) == ("old",)
    assert [move.previous for move in store.history("router")] == [None, 1]
    assert store.rollback("router", "production", reason="").label == "router@1"
    (key,) = store.keys()
    assert (key.name, key.revoked) == ("app", None)
    with store.backend.reading() as connection:
        assert migrating.revision(connection) == migrating.known()[-1]
        made = {t: {c["name"] for c in sa.inspect(connection).get_columns(t)} for t in metadata.tables}
    assert made == {name: set(table.columns.keys()) for name, table in metadata.tables.items()}
    store.close()


def test_the_file_as_it_was_stays_beside_it(tmp_path):
    database = Database(tmp_path / "store.sqlite")
    backend = Sqlite(database.path)
    with backend.writing() as connection:
        migrating.to(connection, "0001")
    backend.close()
    Store(database).close()
    copy = Sqlite(tmp_path / f"store.before-{migrating.known()[-1]}.sqlite")
    with copy.reading() as connection:
        assert migrating.revision(connection) == "0001"
    copy.close()


def test_a_migration_that_fails_changes_nothing(first, monkeypatch):
    def fail(connection, _target):
        connection.execute(metadata.tables["releases"].delete())
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(migrating, "to", fail)
        with pytest.raises(ZeroDivisionError):
            Store(first)
    store = Store(first)
    assert len(store.releases()) == 2
    store.close()
