"""Who serves: the command that starts it, the name of its model there, and what requests need besides."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
OURS = "tunesmith"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """`command` has a place for the `{port}`."""

    command: tuple[str, ...]
    model: str
    task: str = "generate"
    extra: Mapping[str, Any] = field(default_factory=dict)


def language(model: Path, peers: Path | None) -> dict[str, Contestant]:
    """Ours, and transformers serve in both of its modes, with no more cache than its batches need."""
    found = {OURS: _ours(model, "generate")}
    if peers is not None:
        base = (
            str(peers.with_name("transformers")),
            "serve",
            str(model),
            "--port",
            "{port}",
            "--device",
            "cpu",
        )
        batches = ("--continuous-batching", "--cb-num-blocks", "512", "--cb-block-size", "32",
                   "--cb-max-batch-tokens", "2048")  # fmt: skip
        found["transformers"] = Contestant(command=base, model=str(model))
        found["transformers_batches"] = Contestant(command=(*base, *batches), model=str(model))
    return found


def classification(ours: Path, theirs: Path, peers: Path | None) -> dict[str, Contestant]:
    """Ours, and a pipeline behind FastAPI."""
    found = {OURS: _ours(ours, "classify")}
    if peers is not None:
        command = (str(peers), str(HERE / "pipeline_server.py"), str(theirs), "{port}")
        found["pipeline"] = Contestant(command=command, model="pipeline", task="classify")
    return found


def _ours(model: Path, task: str) -> Contestant:
    command = (sys.executable, "-m", "tunesmith", "serve", str(model), "--port", "{port}")
    return Contestant(command=command, model=model.name, task=task)
