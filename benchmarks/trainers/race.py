"""The race: every contestant in a process of its own, in turns, and the figures of its runs."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainers import job
from trainers.works import Contestant, Work

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one process told, and the peak of its resident memory."""

    told: job.Told
    peak_bytes: int


def run(contestants: Mapping[str, Contestant], peers: Path | None, folder: Path) -> dict[str, Run]:
    """Each contestant once; without the Python of the `peers`, ours only."""
    taking_part = {n: c for n, c in contestants.items() if peers is not None or not c.is_peer}
    return {name: _run(contestant, peers, folder / name) for name, contestant in taking_part.items()}


def _run(contestant: Contestant, peers: Path | None, folder: Path) -> Run:
    folder.mkdir(parents=True, exist_ok=True)
    asked, answered = folder / "job.json", folder / "told.json"
    contestant.job.save(asked)
    python = peers if contestant.is_peer and peers else Path(sys.executable)
    peak = _peak([python, HERE / contestant.script, asked, answered], folder / "log")
    return Run(told=job.told(answered), peak_bytes=peak)


def _peak(command: Sequence[str | Path], log: Path) -> int:
    """Run a command to its end, output into `log`; the largest resident memory of its process, in bytes.

    Nobody looks on meanwhile: that would take time from one of few processors.

    Raises:
        RuntimeError: it failed; the end of its output is told.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} failed: {log.read_text(errors='replace')[-2000:]}")
    return usage.ru_maxrss * 1024


def race(
    work: Work, peers: Path | None, folder: Path, rounds: int, say: Callable[[str], None]
) -> dict[str, dict]:
    """The figures of all contestants of a work."""
    first = run(work.first_step(), peers, folder)
    runs: dict[str, list[Run]] = {name: [] for name in first}
    for number in range(rounds):
        for name, found in run(work.seeded(number), peers, folder).items():
            runs[name].append(found)
            say(f"round {number + 1}: {name} {_speed(found, work.contestants[name].job):.0f} tokens/s")
    return {
        name: {**_figures(runs[name], work.contestants[name].job), "first_loss": first[name].told.losses[0]}
        for name in first
    }


def _figures(runs: Sequence[Run], task: job.Job) -> dict:
    speeds = [_speed(found, task) for found in runs]
    figures = {
        "tokens_per_second": round(statistics.median(speeds), 1),
        "peak_memory_bytes": int(statistics.median(found.peak_bytes for found in runs)),
        "first_step_seconds": round(statistics.median(found.told.first_step for found in runs), 2),
        "runs": [round(speed, 1) for speed in speeds],
    }
    if any(found.told.device_bytes for found in runs):
        figures["device_memory_bytes"] = int(statistics.median(found.told.device_bytes for found in runs))
    losses = [found.told.validation for found in runs if found.told.validation is not None]
    return figures | ({"validation_losses": [round(loss, 4) for loss in losses]} if losses else {})


def _speed(found: Run, task: job.Job) -> float:
    """Useful tokens a second in the quickest epoch but the first, in which much is done once.

    Where the number of steps is given, in all of them.
    """
    seconds = found.told.seconds
    if "steps" in task.options:
        return len(seconds) * task.batch_size * (task.options["context"] - 1) / sum(seconds)
    steps = len(seconds) // task.epochs
    epochs = [sum(seconds[i * steps : (i + 1) * steps]) for i in range(task.epochs)]
    return sum(len(row["ids"]) for row in task.examples()) / min(epochs[1:] or epochs)


def operations(work: Work) -> float:
    """Floating point operations of one useful token: in the layers, and in the head where it is learned."""
    task = work.ours
    config = json.loads((Path(task.model) / "config.json").read_text("utf-8"))
    width, layers = (config.get(a) or config[b] for a, b in _SIZES)
    heads = config.get("num_attention_heads", 1)
    shared = config.get("num_key_value_heads", heads) / heads
    matrices = 3 if config["model_type"] == "llama" else 2  # a gated block has one more
    layer = width * width * (2 + 2 * shared) + matrices * width * config.get("intermediate_size", 4 * width)
    return work.weight * (layers * layer + _learned(task) * width * config["vocab_size"])


_SIZES = (("hidden_size", "n_embd"), ("num_hidden_layers", "n_layer"))


def _learned(task: job.Job) -> float:
    """The share of tokens that are learned, each of which passes the head."""
    if task.work == "classify":
        return 0.0
    rows = [(len(row["ids"]), row.get("learned")) for row in task.examples()]
    learned = sum(length if mask is None else sum(mask) for length, mask in rows)
    return learned / sum(length for length, _ in rows)


def gradients(contestants: Mapping[str, Contestant], folder: Path) -> dict[str, dict[str, float]]:
    """The relative errors of the gradients of our jobs by the names of these, and by numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for name, contestant in contestants.items():
        asked, answered = folder / "job.json", folder / "errors.json"
        contestant.job.save(asked)
        _peak([sys.executable, HERE / "gradients.py", asked, answered], folder / "log")
        found[name] = json.loads(answered.read_text(encoding="utf-8"))
    return found


def ceiling() -> dict[str, float]:
    """GFLOP/s of matrix products by their numbers."""
    done = subprocess.run([sys.executable, HERE / "ceiling.py"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)
