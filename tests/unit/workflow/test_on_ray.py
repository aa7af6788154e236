"""Ray starts the workers of a recipe; without Ray one is told how to get it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HAS_RAY = importlib.util.find_spec("ray") is not None


def command(desk: Any, workspace: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    sets = [part for override in overrides for part in ("--set", override)]
    given = ["--workspace", str(workspace), "--json", "run", str(desk.recipe), "--ray-workers", "2", *sets]
    environment = {**os.environ, "RAY_ADDRESS": "local"}
    return subprocess.run(
        [sys.executable, "-m", "tunesmith", *given], capture_output=True, text=True, env=environment
    )


@pytest.mark.skipif(HAS_RAY, reason="Ray is installed")
def test_without_ray_one_is_told_how_to_get_it(bert: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tunesmith.core.errors import MissingError
    from tunesmith.workflow import on_ray

    with pytest.raises(MissingError) as caught:
        on_ray._fit({}, 2, Path())
    assert caught.value.problems[0].values["extra"] == "ray"


@pytest.mark.faults
@pytest.mark.skipif(not HAS_RAY, reason="Ray is not installed: pip install 'tunesmith[ray]'")
def test_workers_come_to_the_result_of_one_process(bert: Any, tmp_path: Path) -> None:
    settings = ("train.precision=float32", "train.micro_batch_tokens=32", "train.epochs=1")
    done = command(bert, tmp_path / "both", *settings)
    assert done.returncode == 0, done.stderr[-3000:]
    result, alone = json.loads(done.stdout.splitlines()[-1]), bert.run(*settings)
    assert result["run"] == alone["run"]
    assert result["scores"] == pytest.approx(alone["scores"], abs=1e-4)
