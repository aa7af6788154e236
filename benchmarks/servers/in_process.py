"""The race without HTTP: each contestant is a process that loads a model, measures itself and ends."""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trainers import environment

from servers import bandwidth, llama_peer, sizes
from tunesmith.serve.native import threads

HERE = Path(__file__).resolve().parent
_SAME = {"bfloat16": "f16", "int8": "q8_0"}
"""Our weights, and those of a GGUF file that have as many bits."""
_PEERS = ("llama.cpp", "openvino")
_OPENVINO = ("openvino-genai==2026.4.1.0", "numpy")


def contestants(model: Path, shape: str, bench: Path, *, peers: bool) -> dict[str, list[str]]:
    """Commands by name; a peer reads the weights that have as many bits from a file of llama.cpp."""
    found: dict[str, list[str]] = {}
    vocabulary = str(json.loads((model / "config.json").read_text("utf-8"))["vocab_size"])
    for weights, precision in _SAME.items():
        found[f"tunesmith {weights}"] = [sys.executable, "-m", "servers.native_speed", str(model), weights]
        if peers:
            file = str(llama_peer.gguf(model, precision))  # type: ignore[arg-type]
            llama, openvino = (str(HERE / f"{name}_speed.py") for name in ("llama_cpp", "openvino"))
            there = str(environment.python(bench / "openvino-env", _OPENVINO, torch=False))
            found[f"llama.cpp {weights}"] = [str(llama_peer.python(bench)), llama, file, str(threads.count())]
            found[f"openvino {weights}"] = [there, openvino, file, vocabulary]
    return {name: [*command, str(sizes.PROMPTS[shape])] for name, command in found.items()}


def race(commands: Mapping[str, list[str]], rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Medians over rounds in turns, the share of the bandwidth reached, and how far ours is ahead."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    for number in range(rounds):
        for name, command in commands.items():
            runs[name].append(_once(command))
            say(f"round {number + 1}: {name} {runs[name][-1]}")
    medians = {
        name: {key: round(statistics.median(run[key] for run in found), 3) for key in found[0]}
        for name, found in runs.items()
    }
    return {"contestants": medians, "ratios": _ratios(medians)}


def _once(command: list[str]) -> dict[str, float]:
    """Figures of one run; the bandwidth is the better one of before and after it."""
    before = bandwidth.bandwidth()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path[:1], *_paths()])}
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    figures: dict[str, float] = json.loads(said.stdout.splitlines()[-1])
    most = max(before, bandwidth.bandwidth())
    share = figures["weight_bytes"] * figures["decode_1"] / most
    return {name: round(value, 3) for name, value in figures.items()} | {
        "bandwidth": round(most),
        "bandwidth_share": round(share, 3),
    }


def _paths() -> list[str]:
    given = os.environ.get("PYTHONPATH", "")
    return given.split(os.pathsep) if given else []


def _ratios(medians: Mapping[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """By peer and weights; larger than 1 where ours is ahead."""
    found = {}
    for peer, weights in itertools.product(_PEERS, _SAME):
        if theirs := medians.get(f"{peer} {weights}"):
            ours = medians[f"tunesmith {weights}"]
            speeds = [name for name in ours if name.startswith(("decode", "prefill"))]
            found[f"{peer} {weights}"] = {name: round(ours[name] / theirs[name], 2) for name in speeds}
    return found
