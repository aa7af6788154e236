"""Processes that work on a store, each at its own pace, and write down what was acknowledged."""

from __future__ import annotations

import json
import multiprocessing
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunesmith.core import durable
from tunesmith.core.database import Database
from tunesmith.core.errors import TunesmithError
from tunesmith.core.store import Store

NAMES = ("router", "writer", "tagger")
# What may be answered to who comes late; nothing else may.
LATE = {"C07", "C08", "C09", "C13"}

# A server that has imported all of it already: a process takes milliseconds to begin.
context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["store_worker", "alembic.command", "psycopg"])


def begin(database: Database, barrier: Any) -> None:
    """Open a store that is not there yet, together with others."""
    barrier.wait()
    store = Store(database)
    store.publish("router", digest="same", folder=Path("x"), task="classify", lineage={})
    store.close()


def work(database: Database, seed: int, operations: int, journal: Path) -> None:
    """Carry out operations at random, and write a line for each after it was acknowledged.

    What takes something away is announced before: of a killed process nobody knows whether it came to it.
    """
    store, rng = Store(database), random.Random(seed)
    mine: list[tuple[str, int, str]] = []
    with journal.open("a", buffering=1) as said:
        for number in range(operations):
            for line in operation(store, rng, f"{seed}-{number}", mine):
                said.write(json.dumps(line) + "\n")
    store.close()


def operation(
    store: Store, rng: random.Random, unique: str, mine: list[tuple[str, int, str]]
) -> Iterator[Any]:
    """One operation; yields what it came to."""
    name, alias = rng.choice(NAMES), rng.choice(("candidate", "production"))
    kind = rng.choices(("publish", "move", "rollback", "remove", "tag", "note", "key", "read"),
                       (4, 4, 1, 1, 2, 2, 1, 2))[0]  # fmt: skip
    try:
        yield from _KINDS[kind](store, rng, unique, mine, name, alias)
    except TunesmithError as error:
        if error.problems[0].code not in LATE:
            yield ["failed", kind, str(error)]


def _publish(
    store: Store, rng: random.Random, unique: str, mine: Any, name: str, _alias: str
) -> Iterator[Any]:
    folder = store.database.path.parent / "models" / unique
    with durable.new_folder(folder) as made:
        (made / "weights").write_text(unique, "ascii")
    made_of = durable.digest(folder)
    release = store.publish(name, digest=made_of, folder=folder, task="classify", lineage={"run": unique})
    mine.append((name, release.version, made_of))
    yield ["published", name, release.version, made_of]


def _move(store: Store, rng: random.Random, _u: str, mine: Any, name: str, alias: str) -> Iterator[Any]:
    here = [version for owner, version, _ in mine if owner == name]
    if here:
        current, wanted = store.alias_version(name, alias), rng.choice(here)
        store.move(name, alias, wanted, expected=current, reason="at random")
        if wanted != current:
            yield ["moved", name, alias]


def _rollback(store: Store, _r: random.Random, _u: str, _m: Any, name: str, alias: str) -> Iterator[Any]:
    store.rollback(name, alias, reason="at random")
    yield ["moved", name, alias]


def _remove(store: Store, rng: random.Random, _u: str, mine: Any, _n: str, _alias: str) -> Iterator[Any]:
    if mine:
        name, version, digest = rng.choice(mine)
        release = store.find(f"{name}@{version}")
        if release is not None and release.digest == digest:
            yield ["removing", name, digest]
            store.remove(release)
            shutil.rmtree(release.folder)
            mine.remove((name, version, digest))
            yield ["removed", name, digest]


def _tag(store: Store, _r: random.Random, unique: str, _m: Any, name: str, _alias: str) -> Iterator[Any]:
    store.tag("run", name, [unique])
    yield ["tagged", name, unique]


def _note(store: Store, _r: random.Random, unique: str, _m: Any, name: str, _alias: str) -> Iterator[Any]:
    store.note("run", name, unique)
    yield ["noted", name, unique]


def _key(store: Store, rng: random.Random, unique: str, _m: Any, _n: str, _alias: str) -> Iterator[Any]:
    identity, text = store.create_key(unique, ["serve"])
    yield ["key", identity, text]
    if rng.random() < 0.5:
        yield ["revoking", identity]
        store.revoke_key(identity)
        yield ["revoked", identity]


def _look(store: Store, _r: random.Random, _u: str, _m: Any, name: str, alias: str) -> Iterator[Any]:
    before = store.alias_version(name, alias)
    if before is not None and store.find(f"{name}@{alias}") is None:
        yield ["failed", "read", f"{name}@{alias} points to nothing"]


_KINDS = {
    "publish": _publish, "move": _move, "rollback": _rollback, "remove": _remove, "tag": _tag, "note": _note,
    "key": _key, "read": _look,
}  # fmt: skip


def journaled(journals: list[Path]) -> list[list[Any]]:
    """Everything that was acknowledged; a line that a killed process did not finish was not."""
    lines = (line for journal in journals for line in journal.read_text("utf-8").splitlines(keepends=True))
    return [json.loads(line) for line in lines if line.endswith("\n")]


def lost(store: Store, said: list[list[Any]]) -> list[str]:
    """What was acknowledged and is not so; what cannot be."""
    return [*(f"{line}" for line in said if line[0] == "failed"), *_lost_releases(store, said),
            *_lost_moves(store, said), *_lost_marks(store, said), *_lost_keys(store, said)]  # fmt: skip


def _lost_releases(store: Store, said: list[list[Any]]) -> Iterator[str]:
    there = {(release.name, release.digest) for release in store.releases()}
    removed = {(line[1], line[2]) for line in said if line[0] == "removed"}
    # Whoever was killed while removing may have removed or not.
    perhaps = {(line[1], line[2]) for line in said if line[0] == "removing"}
    for what, name, *rest in said:
        if what == "published" and (name, rest[1]) not in there | perhaps:
            yield f"release {name} {rest}"
    for name, digest in there & removed:
        yield f"removed, and there again: {name} {digest}"


def _lost_moves(store: Store, said: list[list[Any]]) -> Iterator[str]:
    for name in NAMES:
        for alias in ("candidate", "production"):
            history, before = store.history(name, alias), None
            for move in history:
                if move.previous != before:
                    yield f"{name}@{alias} moved from {move.previous}, but was at {before}"
                before = move.version
            if store.alias_version(name, alias) != before:
                yield f"{name}@{alias} is not where it was moved"
            if len(history) < said.count(["moved", name, alias]):
                yield f"moves of {name}@{alias}"


def _lost_marks(store: Store, said: list[list[Any]]) -> Iterator[str]:
    tags = store.tags("run")
    notes = {name: [note.text for note in store.notes("run", name)] for name in NAMES}
    for what, name, *rest in said:
        if what == "tagged" and rest[0] not in tags.get(name, ()):
            yield f"tag {rest[0]}"
        if what == "noted" and notes[name].count(rest[0]) != 1:
            yield f"note {rest[0]}"


def _lost_keys(store: Store, said: list[list[Any]]) -> Iterator[str]:
    revoked, perhaps = ({line[1] for line in said if line[0] == what} for what in ("revoked", "revoking"))
    for what, identity, *rest in said:
        if what != "key":
            continue
        works = store.find_key(rest[0]) is not None
        if (works and identity in revoked) or (not works and identity not in perhaps):
            yield f"key {identity}"
