"""Opening a store: with a wrong address, after a newer version, and when it is damaged."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa

from tunesmith.core.database import Database, for_psycopg, without_password
from tunesmith.core.errors import TunesmithError
from tunesmith.core.store import Store, migrating


def code(database):
    with pytest.raises(TunesmithError) as caught:
        Store(database).releases()
    return caught.value.problems[0].code


def test_a_store_of_a_newer_version_is_refused_and_stays_as_it_is(store):
    with store.backend.writing() as connection:
        table = sa.table("alembic_version", sa.column("version_num"))
        connection.execute(table.update().values(version_num="9999"))
    assert code(store.database) == "R35"
    with store.backend.reading() as connection:
        assert migrating.revision(connection) == "9999"


@pytest.mark.parametrize("url", ["mysql://host/x", "postgresql://host:port/x", "store.sqlite", "postgres:"])
def test_what_is_no_address_is_said_to_be_none(tmp_path, url):
    assert code(Database(tmp_path / "store.sqlite", url)) == "R33"


def test_a_server_that_is_not_there_is_told_without_the_password(tmp_path):
    database = Database(tmp_path / "store.sqlite", "postgresql://me:secret@127.0.0.1:9/x?password=secret")
    with pytest.raises(TunesmithError) as caught:
        Store(database)
    assert caught.value.problems[0].code == "R32"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "secret",
    ["secret", "sec/ret", "s?ec:ret", "s/e?c#ret", "sec@ret"],
)
def test_no_password_is_shown_however_it_is_written(secret):
    shown = without_password(f"postgresql://me:{secret}@host:5432/x?sslpassword={secret.split('@')[0]}&a=b")
    assert shown == "postgresql://me:***@host:5432/x?sslpassword=***&a=b"


@pytest.mark.parametrize(
    "url", ["postgresql://host:5432/x", "postgresql://me@host:5432/x?application_name=y"]
)
def test_an_address_without_password_is_shown_as_it_is(url):
    assert without_password(url) == url


@pytest.mark.parametrize("damage", [b"not a database at all" * 100, "middle"])
def test_a_damaged_file_is_told_with_what_to_do(tmp_path, damage):
    path = tmp_path / "store.sqlite"
    if damage == "middle":
        Store(path).close()
        content = path.read_bytes()
        damage = content[:4096] + b"\x55" * (len(content) - 4096)
    path.write_bytes(damage)
    with pytest.raises(TunesmithError) as caught:
        Store(path).releases()
    assert caught.value.problems[0].code == "R31"
    assert "doctor --repair" in str(caught.value)


def test_who_waits_for_a_writer_longer_than_a_minute_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("tunesmith.core.store.sqlite.PATIENCE_S", 0.05)
    path = tmp_path / "store.sqlite"
    Store(path).close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TunesmithError) as caught:
            Store(path).tag("run", "r", ["vip"])
        assert caught.value.problems[0].code == "R30"


def test_who_only_reads_does_not_wait_for_who_writes(store, monkeypatch):
    monkeypatch.setattr("tunesmith.core.store.sqlite.PATIENCE_S", 0.05)
    with store.backend.writing():
        other = Store(store.database)
        assert other.releases() == []
        other.close()


def test_connections_that_the_server_ends_are_made_anew(postgresql, tmp_path):
    import postgres

    store = Store(Database(tmp_path / "store.sqlite", postgres.empty_schema(postgresql, "ended")))
    store.releases()
    others = sa.table("pg_stat_activity", sa.column("pid"), sa.column("application_name"))
    ending = sa.select(sa.func.pg_terminate_backend(others.c.pid)).where(
        others.c.application_name == "tunesmith"
    )
    with sa.create_engine(for_psycopg(postgresql), poolclass=sa.NullPool).connect() as connection:
        assert connection.execute(ending).scalars().all()
    assert store.tag("run", "r", ["vip"]) == ("vip",)
    store.close()
