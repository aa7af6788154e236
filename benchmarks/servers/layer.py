"""What HTTP costs: our engine by itself and behind our server, in turns, asked for the same."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from servers import contestants, race
from tunesmith.serve.load import Load

HERE = Path(__file__).resolve().parent
_ENGINES: Mapping[str, dict[str, str]] = {
    "torch": {"engine": "torch"},
    "native_int8": {"engine": "native", "weights": "int8"},
}


def measure(model: Path, load: Load, rounds: int, logs: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """By engine, medians over rounds.

    `cost` is the part of the engine's tokens per second that is not reached over HTTP; the client, on the same
    processor, has its share in it. `server_share` is the part of the server's own process in the processor
    time of that and of the engine's process.
    """
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in _ENGINES}
    for number in range(rounds):
        for name, wished in _ENGINES.items():
            runs[name].append(_once(model, wished, load, logs / f"layer_{name}.log"))
            say(f"round {number + 1}: {name} {runs[name][-1]}")
    return {
        name: {key: round(statistics.median(run[key] for run in found), 4) for key in found[0]}
        for name, found in runs.items()
    }


def _once(model: Path, wished: Mapping[str, str], load: Load, log: Path) -> dict[str, float]:
    alone = _alone(model, wished, load)
    served = contestants.ours(model, "generate", *(f"--{name}={value}" for name, value in wished.items()))
    with race.started(served, log) as (url, process, _):
        race.asked(url, served, Load(clients=2, seconds=0.1, words=load.words, tokens=8))
        before = _seconds(process.pid)
        reached = race.asked(url, served, load)["tokens_per_second"]
        server, engine = (after - then for after, then in zip(_seconds(process.pid), before, strict=True))
    return {
        "engine_tokens_per_second": alone,
        "http_tokens_per_second": reached,
        "cost": 1 - reached / alone,
        "server_share": server / (server + engine),
    }


def _alone(model: Path, wished: Mapping[str, str], load: Load) -> float:
    paths = os.pathsep.join([str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH", "")])])
    command = [sys.executable, "-m", "servers.engine_alone", str(model), json.dumps(wished)]
    command.append(json.dumps(asdict(load)))
    environment = {**os.environ, "PYTHONPATH": paths}
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    found: float = json.loads(said.stdout.splitlines()[-1])["tokens_per_second"]
    return found


def _seconds(pid: int) -> tuple[float, float]:
    """Processor time of the server so far, and of the processes that it started."""
    children = [int(child) for found in _children(pid) for child in found]
    return _own(pid), sum(_own(child) for child in children)


def _children(pid: int) -> list[list[str]]:
    return [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]


def _own(pid: int) -> float:
    said = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(said[11]) + int(said[12])) / os.sysconf("SC_CLK_TCK")
