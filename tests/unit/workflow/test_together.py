"""A recipe in two processes: one result, said once, with the weights that one process comes to."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

# Several parts in each step, so that both processes have some and draw the same dropout.
OVERRIDES = ("train.precision=float32", "train.micro_batch_tokens=32", "train.epochs=1")


PYTHON = """
import json, sys, tunesmith
workspace, recipe, *overrides = sys.argv[1:]
print(json.dumps(tunesmith.run(recipe, overrides=overrides, workspace=workspace)))
"""


def verb(desk: Any, workspace: Path, *overrides: str) -> list[str]:
    """The verb of the command line."""
    sets = [part for override in overrides for part in ("--set", override)]
    return ["-m", "tunesmith", "--workspace", str(workspace), "--json", "run", str(desk.recipe), *sets]


def function(desk: Any, workspace: Path, *overrides: str) -> list[str]:
    """The function for Python."""
    return ["-c", PYTHON, str(workspace), str(desk.recipe), *overrides]


def both(*commands: list[str]) -> list[tuple[int, str, str]]:
    """Exit code, stdout and stderr of two processes, started as torchrun starts them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": "2"}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    started = [
        subprocess.Popen(
            [sys.executable, *command],
            env={**os.environ, **meeting, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            **pipes,
        )
        for rank, command in enumerate(commands)
    ]
    said = [process.communicate(timeout=120) for process in started]
    return [(process.returncode, *texts) for process, texts in zip(started, said, strict=True)]


@pytest.mark.faults  # several processes that start torch anew: minutes on a busy machine
def test_two_processes_come_to_the_result_of_one(
    bert: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    # What the verb does and what the function does fit together.
    given = bert, tmp_path / "both", *OVERRIDES
    first, second = both(verb(*given), function(*given))
    assert (first[0], second[0]) == (0, 0), first[2] + second[2]
    assert json.loads(second[1]) == json.loads(first[1])
    result, alone = json.loads(first[1]), bert.run(*OVERRIDES)
    assert result["run"] == alone["run"]
    found, expected = (load_file(Path(r["path"]) / "model" / "model.safetensors") for r in (result, alone))
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=0, atol=1e-5, err_msg=name)
    lines = (Path(result["path"]) / "events.jsonl").read_text("utf-8").splitlines()
    steps = [line["step"] for line in map(json.loads, lines) if line["event"] == "Step"]
    assert steps == list(range(1, len(steps) + 1))


@pytest.mark.faults
def test_a_mistake_is_said_once_and_nobody_waits(bert: Any, tmp_path: Path) -> None:
    command = verb(bert, tmp_path / "both", "train.epochs=-1")
    first, second = both(command, command)
    assert first[0] == 3
    assert json.loads(first[1])["problems"][0]["field"] == "train.epochs"
    assert second == (0, "", "")
