"""Training beside TRL and transformers' Trainer: the same model, rows and useful tokens, on this processor.

    python benchmarks/training.py [--work lora full ...] [--rounds 3] [--peers NAME ...] [--epochs 2]
        [--ours] [--tokens N] [--small] [--json]

Works: `lora` and `full` fine-tuning of a decoder of the shape of SmolLM2-135M on conversations, `classify`
with an encoder of six layers, `shared_prefix` (a system prompt that all rows begin with, beside one that
differs), `last_layers` (LoRA on the last eight, beside all) and `characters` (nanoGPT's model of four layers
for 2,000 steps, beside a plain loop in eager PyTorch). Their models have random weights. In `evaluation` the
small model of the package learns 480 real conversations in another order each round, and its loss on 120
others is compared with that of transformers' Trainer: any two runs must lie within 2 %. Each contestant
learns three epochs (two for `evaluation`) of 24 conversations in steps of eight (or 256 texts in steps of 32)
in a fresh process, with the same settings of the memory allocator, in turns. `gradients` compares ours with
those of transformers.

Told are medians over rounds: useful tokens a second in the quickest epoch but the first, the peak of resident
memory, seconds from the start of the process to the end of its first step, the share of the fastest matrix
product measured here. The losses of a first step over the same rows must agree. Peers run in an environment
made with pip below build/bench. One JSON object is printed; `ratios` are larger than 1 where we are ahead, in
speed, `_memory` and `_first_step`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from preparation import clock
from trainers import environment, race, report
from trainers.works import OURS, WORKS

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / "build" / "bench"
SHARED = Path(os.environ.get("TUNESMITH_SHARED_DATA", HERE.parents[1] / "shared" / "data"))
_ROWS = 24
_GRADIENTS, _METHODS = "gradients", ("lora", "full")
_ALL = [*WORKS, _GRADIENTS]


def main() -> None:
    given = _arguments()
    folder = material(given.shared, small=given.small)
    peers = None if given.ours else environment.python(FOLDER / "trl-env")
    machine = {**clock.machine(), "gigaflops": race.ceiling()}
    found, errors = {}, None
    for name in given.work:
        if name == _GRADIENTS:
            jobs = {method: WORKS[method](folder, small=given.small).contestants[OURS] for method in _METHODS}
            errors = race.gradients(jobs, FOLDER / "training" / "gradients")
            say(f"gradients, relative to those of transformers in float32: {errors}")
            continue
        work = WORKS[name](folder, small=given.small).among(given.peers, given.epochs)
        work = work.with_tokens(given.tokens) if given.tokens else work
        figures = race.race(work, peers, FOLDER / "training" / "runs", given.rounds, say)
        found[name] = report.complete(work, figures, machine["gigaflops"])
        say(report.table(name, found[name]))
    print(json.dumps(report.result(machine, found, errors), indent=None if given.json else 1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", nargs="+", choices=_ALL, default=_ALL)
    parser.add_argument("--rounds", type=int, default=3, help="how often each contestant runs")
    parser.add_argument("--peers", nargs="+", help="some of those who learn beside ours, by their names")
    parser.add_argument("--epochs", type=int, help="how many epochs, two at least, in place of its own")
    parser.add_argument("--ours", action="store_true", help="without the peers")
    parser.add_argument(
        "--tokens", type=int, help="how many ours compute at once, in place of what they choose"
    )
    parser.add_argument("--small", action="store_true", help="tiny models, to try the script out")
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the real data sets")
    parser.add_argument("--json", action="store_true", help="on one line")
    return parser.parse_args()


def material(shared: Path, *, small: bool, rows: int = _ROWS) -> Path:
    """The folder of models and so many conversations, made when it is not there."""
    folder = FOLDER / "training" / f"{'small' if small else 'large'}-{rows}"
    if not (folder / "classify.jsonl").exists():
        say("making models and rows")
        options = ["--small"] if small else []
        script = HERE / "trainers" / "material.py"
        subprocess.run([sys.executable, script, folder, shared, str(rows), *options], check=True)
    return folder


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
