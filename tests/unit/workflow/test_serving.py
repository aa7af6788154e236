"""A server marks what it serves as used, and lets go of what it serves no longer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunesmith.core import durable, uses
from tunesmith.core.errors import TunesmithError
from tunesmith.core.store import Store
from tunesmith.core.workspace import Workspace
from tunesmith.serve.deployment import deploy
from tunesmith.serve.served import Deployment
from tunesmith.workflow import serving


class Constant:
    """A classifier that says the same of all texts."""

    name, labels = "constant", ("a", "b")

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        return np.tile([0.5, 0.5], (len(texts), 1))


def here(folder: Path, *, name: str, aliases: Sequence[str], **_: Any) -> Deployment:
    """Without a process."""
    if (folder / "broken").exists():
        raise TunesmithError("S49", status=1)
    return deploy(Constant(), name=name, aliases=aliases)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """With a release that serves, and one after it that cannot be served."""
    workspace = Workspace(tmp_path / ".tunesmith")
    for name in ("whole", "broken"):
        with durable.new_folder(workspace.models / name) as folder:
            (folder / name).write_text(name)
        Store(workspace.database).publish(
            "m", digest=durable.digest(workspace.models / name), folder=workspace.models / name,
            task="classify", lineage={},
        )  # fmt: skip
    Store(workspace.database).move("m", "production", 1, expected=None, reason="")
    return workspace


def test_a_release_is_in_use_while_it_is_served_and_no_longer(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "deploy_apart", here)
    monkeypatch.setattr("tunesmith.serve.deployments._GRACE_S", 0.0)
    made = serving.serving(["m@production"], workspace)
    assert made.deployments.named("m").name == "m@1"
    folder = workspace.models / "whole"
    assert [*uses.used(workspace)] == [folder]
    again = made.sources[0].load()
    made.deployments.swap("m", again)
    for leaving in list(made.deployments._leaving):
        leaving.join()
    assert len([*(workspace.root / "serving").glob("*.json")]) == 1
    Store(workspace.database).move("m", "production", 2, expected=1, reason="")
    with pytest.raises(TunesmithError, match="S49"):
        made.sources[0].load()
    assert [*uses.used(workspace)] == [folder]
    made.deployments.close()
    assert not uses.used(workspace)
    with pytest.raises(TunesmithError, match="S07"):
        made.deployments.add(again)
