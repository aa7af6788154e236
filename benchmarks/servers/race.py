"""The race: each contestant is started, asked by ever more clients and ended, in turns."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from servers.contestants import OURS, Contestant
from tunesmith.core.errors import TunesmithError
from tunesmith.serve.load import Load, measure

_PATIENCE = 120  # seconds until a server has to be ready


def race(
    contestants: Mapping[str, Contestant],
    loads: Sequence[Load],
    rounds: int,
    folder: Path,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Figures of each contestant, and how far ours is ahead of each other one."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in contestants}
    for number in range(rounds):
        for name, contestant in contestants.items():
            found[name].append(_once(contestant, loads, folder / f"{name}.log"))
            say(f"round {number + 1}: {name} {found[name][-1]}")
    medians = {name: _medians(runs) for name, runs in found.items()}
    return {"contestants": medians, "ratios": _ratios(medians, contestants)}


def _once(contestant: Contestant, loads: Sequence[Load], log: Path) -> dict[str, Any]:
    """Start, ask, end."""
    figures: dict[str, Any] = {}
    with started(contestant, log) as (url, process, seconds):
        figures["ready_seconds"] = round(seconds, 2)
        first = replace(loads[0], clients=2, seconds=0.1, tokens=8)
        for load in (first, *loads):
            told = asked(url, contestant, load)
            if load is not first:
                figures |= _figures(told, load, contestant.task)
        figures["peak_memory_bytes"] = _peak(process.pid)
    return figures


def asked(url: str, contestant: Contestant, load: Load) -> dict[str, Any]:
    """What one load met; that no answer came in time is one of the things that it may meet."""
    wished = replace(load, extra=contestant.extra)
    try:
        found = asyncio.run(measure(url, wished, model=contestant.model, task=contestant.task))
    except TunesmithError as error:
        late = re.fullmatch(r"TimeoutError: (\d+)", str(error.problems[0].values.get("errors")))
        if late is None:
            raise
        none: dict[str, Any] = dict.fromkeys(("requests_per_second", "tokens_per_second"), 0.0)
        return none | {"errors": {TimeoutError.__name__: int(late[1])}}
    told = found.as_dict()
    if not contestant.counts:
        told["tokens_per_second"] = round(told["requests_per_second"] * load.tokens, 2)
    return told


def _figures(told: dict[str, Any], load: Load, task: str) -> dict[str, Any]:
    speed = "requests_per_second" if task == "classify" else "tokens_per_second"
    figures = {speed: told[speed], "errors": sum(told["errors"].values())}
    for name in ("latency_ms", "first_token_ms"):
        if told.get(name):
            figures[name] = told[name]["p50"]
    return {f"{name}_{load.clients}": value for name, value in figures.items()}


@contextmanager
def started(contestant: Contestant, log: Path) -> Iterator[tuple[str, subprocess.Popen[bytes], float]]:
    """A server that is ready, and how many seconds that took."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    command = [part.format(port=port) for part in contestant.command]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url + contestant.health, process, log)
            yield url, process, time.perf_counter() - start
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(url, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} is not ready: {log.read_text(errors='replace')[-2000:]}")


def _peak(pid: int) -> int:
    """The largest resident memory of a process and of those that it started, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    own = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    children = (path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    return own + sum(_peak(int(child)) for found in children for child in found)


def _medians(runs: Sequence[dict[str, Any]]) -> dict[str, float]:
    told_by_all = [name for name in runs[0] if all(name in run for run in runs)]
    return {name: round(statistics.median(run[name] for run in runs), 3) for name in told_by_all}


def _ratios(
    medians: Mapping[str, dict[str, float]], contestants: Mapping[str, Contestant]
) -> dict[str, dict[str, float]]:
    """Larger than 1 where ours is ahead, for every peer whose one of ours took part too."""
    return {
        name: _ahead(medians[one.beside], medians[name])
        for name, one in contestants.items()
        if not name.startswith(("native", OURS)) and one.beside in medians
    }


def _ahead(ours: Mapping[str, float], theirs: Mapping[str, float]) -> dict[str, float]:
    both = [k for k in ours if k in theirs and ours[k] and theirs[k] and "errors" not in k]
    more = {k: ours[k] / theirs[k] for k in both if "per_second" in k}
    less = {k: theirs[k] / ours[k] for k in both if "per_second" not in k}
    return {k: round(value, 2) for k, value in (more | less).items()}
