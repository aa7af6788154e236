"""What somebody who comes back wants to know first: what there is, and whether the machine is well."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel

from tunesmith.core import memory, runs
from tunesmith.serve.policies import Policy, Route
from tunesmith.studio.roles import VIEWER
from tunesmith.studio.state import Studio

POLICIES: dict[Route, Policy] = {("GET", "/api/home"): VIEWER}


class Room(BaseModel):
    """What is free on this machine, in bytes; how many graphics processors; whether models are fetched."""

    disk_free: int
    disk_total: int
    memory_free: int | None
    memory_total: int | None
    gpus: int
    offline: bool


class Home(BaseModel):
    """How much of everything there is; the page asks for the rest where it shows it."""

    runs: int
    releases: int
    served: list[str]
    health: Room


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the route of the first page into `app`."""

    @app.get("/api/home")
    def home() -> Home:
        """What there is in the workspace, and how the machine is."""
        return Home(
            runs=len(runs.all_runs(studio.workspace.runs)),
            releases=len(studio.store.releases()),
            served=[deployment.name for deployment in studio.served],
            health=_health(studio),
        )


def _health(studio: Studio) -> Room:
    disk = shutil.disk_usage(studio.workspace.root)
    return Room(
        disk_free=disk.free,
        disk_total=disk.total,
        memory_free=memory.available_memory_bytes(),
        memory_total=memory.machine_memory_bytes(),
        gpus=len(list(Path("/dev").glob("nvidia[0-9]*"))),
        offline=os.environ.get("HF_HUB_OFFLINE") == "1",
    )
