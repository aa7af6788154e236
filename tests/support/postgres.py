"""A PostgreSQL server of our own for the tests that want one: a free port of loopback, a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

PATIENCE_S = 30
# Nothing of it outlives the tests, and nobody cuts the power: nothing needs to be safe on disk.
FAST = ("fsync=off", "full_page_writes=off")
QUIET = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "shared_buffers=16MB",
    "max_connections=60",
)


def programs() -> Path | None:
    """The folder of the newest `initdb` and `postgres` of this machine."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    return max(
        Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda path: int(path.parent.name)
    )


@contextmanager
def server() -> Iterator[str]:
    """The address of a running server, `postgresql://...`; the test is skipped where there is none."""
    bin_ = programs()
    if bin_ is None or not (bin_ / "initdb").exists():
        pytest.skip("no PostgreSQL on this machine: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="tunesmith-postgres-"))
    try:
        with _running(bin_, folder) as port:
            yield f"postgresql://tester@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(bin_: Path, folder: Path) -> Iterator[int]:
    user = _user(folder)
    data = folder / "data"
    make = [
        bin_ / "initdb",
        "-D",
        data,
        "-U",
        "tester",
        "-A",
        "trust",
        "--no-sync",
        "-E",
        "UTF8",
        "--locale=C",
    ]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL, cwd=folder, **user)
    port = _free_port()
    options = [part for option in (*QUIET, *FAST) for part in ("-c", option)]
    command = [bin_ / "postgres", "-D", data, "-p", str(port), *options]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **user)
    try:
        _wait(process, port, folder / "log")
        yield port
    finally:
        process.send_signal(signal.SIGINT)  # SIGTERM would wait for every client to go
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()


def _user(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it runs as its own user, or as nobody."""
    if os.getuid() != 0:
        return {}
    import pwd

    known = {entry.pw_name for entry in pwd.getpwall()}
    name = "postgres" if "postgres" in known else "nobody"
    shutil.chown(folder, name)
    return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    ends = time.monotonic() + PATIENCE_S
    engine = sa.create_engine(f"postgresql+psycopg://tester@127.0.0.1:{port}/postgres", poolclass=sa.NullPool)
    while time.monotonic() < ends and process.poll() is None:
        try:
            engine.connect().close()
            return
        except sa.exc.OperationalError:
            time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}")


def empty_schema(url: str, name: str) -> str:
    """The address of an empty place of its own on the server."""
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.schema.DropSchema(name, cascade=True, if_exists=True))
        connection.execute(sa.schema.CreateSchema(name))
    return f"{url}?options=-csearch_path%3D{name}"
