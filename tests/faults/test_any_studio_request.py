"""Whatever anybody with any role asks of the Studio: never a failure of the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tunesmith.core.events import Step
from tunesmith.core.runs import RunFolder
from tunesmith.core.workspace import Workspace
from tunesmith.serve.server import serving
from tunesmith.studio.app import StudioExtension
from tunesmith.studio.datasets import library
from tunesmith.studio.jobs.supervisor import Supervisor
from tunesmith.studio.roles import ROLES
from tunesmith.studio.state import Studio

asking = pytest.importorskip("asking")


class World:
    """A Studio with one of everything, whose jobs nobody does."""

    def __init__(self, studio: Studio, url: str) -> None:
        self.studio, self.url = studio, url
        self.dataset = _dataset(studio.workspace).id
        self.run = _run(studio.workspace).id
        self.job = studio.store.add_job("resume", "x", {"wishes": {"kind": "resume", "run": "x"}}).id

    def play(self, role: str, examples: int) -> Any:
        """Ask every route of the Studio as somebody with this role; how often each status was answered."""
        key = self.studio.store.create_key(role, ["serve", f"studio:{role}"])[1]
        headers = {"Authorization": f"Bearer {key}", "X-Language": "zh" if len(role) % 2 else "en"}
        return asking.play(
            self.url, examples=examples, change=self._name, headers=headers, wanted=_is_answered_at_once
        )

    def _name(self, case: Any, path: str) -> None:
        """Few would name anything by chance; what is there is looked at, not removed."""
        if case.method == "DELETE" or not case.path_parameters or len(str(case.body)) % 4 == 0:
            return
        there = {
            "/datasets/": ("id", self.dataset),
            "/jobs/": ("id", self.job),
            "/runs/": ("run_id", self.run),
        }
        for part, (parameter, value) in there.items():
            if part in path and parameter in case.path_parameters:
                case.path_parameters[parameter] = value


def _is_answered_at_once(operation: Any) -> bool:
    return operation.path.startswith("/api/") and operation.path != "/api/events"


def _dataset(workspace: Workspace) -> library.Dataset:
    file = workspace.root / "rows.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("text,label\ngood,a\nbad,b\n<b>fine</b>,a\n", "utf-8")
    return library.take_in(workspace, library.Origin(path=file))


def _run(workspace: Workspace) -> RunFolder:
    run = RunFolder(workspace.runs / "router-1234")
    run.path.mkdir(parents=True)
    run.recipe.write_text("task: classify\n", "utf-8")
    for number in range(5):
        run.events.append(
            Step(
                step=number,
                steps=9,
                epoch=0.1,
                loss=1.0,
                learning_rate=0.1,
                grad_norm=1.0,
                tokens=1,
                seconds=1.0,
            )
        )
    return run


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    studio = Studio.over(Workspace(tmp_path_factory.mktemp("studio") / ".tunesmith"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Supervisor, "start", lambda _: None)
        with serving(studio.served, store=studio.store, extension=StudioExtension(studio)) as url:
            yield World(studio, url)


@pytest.mark.faults
@pytest.mark.parametrize("role", ROLES)
def test_no_request_of_anybody_makes_the_server_fail(world: World, role: str) -> None:
    statuses = world.play(role, examples=10)
    assert {200, 400, 403, 404} <= set(statuses)
    assert sum(statuses.values()) >= 1000
