"""All models there are: releases and the catalogue, each with its facts and whether it fits this machine."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from tunesmith.core.errors import TunesmithError
from tunesmith.core.memory import machine_memory_bytes
from tunesmith.core.store import Release, Store
from tunesmith.core.workspace import Workspace
from tunesmith.models import card, catalogue, facts, fitness
from tunesmith.models.catalogue import Entry
from tunesmith.models.selection import Wanted


def everything(workspace: Workspace, wanted: Wanted) -> dict[str, Any]:
    """All releases and all of the catalogue that are as wanted, and whether they fit into this machine."""
    found = Store(workspace.database).releases() if workspace.database.exists() else []
    limit = machine_memory_bytes()
    rows = {
        "releases": [_release(release, limit) for release in found],
        "catalogue": [_entry(entry, limit) for entry in catalogue.entries().values()],
    }
    chosen = {key: [row for row in own if wanted.has(row)] for key, own in rows.items()}
    return {"memory_bytes": limit, **chosen}


def _release(release: Release, limit: int | None) -> dict[str, Any]:
    folder = Path(release.folder)
    values: dict[str, Any] = {
        "name": release.label,
        "kind": None,
        "family": None,
        "tasks": [release.task] if release.task else [],
        "parameters": None,
        "languages": [],
        "licence": None,
        "aliases": list(release.aliases),
        "created": release.created,
        "installed": folder.is_dir(),
        "fit": None,
        "problem": None,
    }
    try:
        own = card.read(folder)
        shape = facts.shape(folder)
        values |= {
            "kind": own.kind,
            "family": facts.family(folder, own),
            "tasks": list(facts.tasks(own)),
            "parameters": facts.parameters(folder),
            "languages": facts.languages(folder),
            "licence": facts.licence(facts.Found(name=release.name, folder=folder), own),
            "fit": fitness.here(shape, own.kind, own.context, limit)
            if shape or own.kind == "tfidf"
            else None,
        }
    except TunesmithError as error:
        # One damaged folder must not hide the other models.
        values["problem"] = error.problems[0].code
    return values


def _entry(entry: Entry, limit: int | None) -> dict[str, Any]:
    return {
        "name": entry.name,
        "kind": entry.kind,
        "family": entry.family,
        "tasks": list(entry.tasks),
        "parameters": entry.parameters * 10**6,
        "languages": list(entry.languages),
        "licence": entry.licence,
        "context": entry.context,
        "source": entry.hub or entry.package,
        "installed": _is_here(entry),
        "fit": fitness.here(entry.shape, entry.kind, entry.context, limit),
    }


def _is_here(entry: Entry) -> bool:
    if entry.hub:
        return facts.in_hub_cache(entry.hub) is not None
    return entry.module is None or importlib.util.find_spec(entry.module) is not None
