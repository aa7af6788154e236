"""Training beside TRL on a graphics processor: the same model, rows and useful tokens.

    python benchmarks/training_gpu.py [--work lora full] [--rounds 3] [--small] [--json]

Works and contestants are those of `training.py`, with 512 conversations in steps of 32; of the peers TRL takes
part, with its defaults and with packing, four packs a step, whose useful tokens are near those of 32 rows.
Told are useful tokens a second in the quickest epoch but the first, and the peak of the memory
that torch took on the processor; `ratios` are larger than 1 where we are ahead. Without a graphics processor
it says so and ends with exit code 5.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import training
from trainers import environment, race
from trainers.works import OURS, WORKS, Contestant, Work

_PEERS = ("trl", "trl_packing")
_MISSING = 5
_ROWS, _BATCH, _PACKS = 512, 32, 4


def main() -> None:
    import torch

    given = _arguments()
    if not torch.cuda.is_available():
        print("torch sees no graphics processor: nothing was measured", file=sys.stderr)
        raise SystemExit(_MISSING)
    material = training.material(given.shared, small=given.small, rows=_ROWS)
    peers = environment.python(training.FOLDER / "trl-env")
    found = {name: _measured(name, material, peers, given) for name in given.work}
    machine = {"device": torch.cuda.get_device_name(), "torch": torch.__version__}
    ratios = {key: ratio for name, figures in found.items() for key, ratio in _ratios(name, figures)}
    result = {"machine": machine, "figures": found, "ratios": ratios}
    print(json.dumps(result, indent=None if given.json else 1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", nargs="+", choices=("lora", "full"), default=["lora", "full"])
    parser.add_argument("--rounds", type=int, default=3, help="how often each contestant runs")
    parser.add_argument("--small", action="store_true", help="tiny models, to try the script out")
    parser.add_argument("--shared", type=Path, default=training.SHARED, help="folder of the real data sets")
    parser.add_argument("--json", action="store_true", help="on one line")
    return parser.parse_args()


def _measured(name: str, material: Path, peers: Path, given: argparse.Namespace) -> dict[str, dict]:
    work = _on_the_processor(WORKS[name](material, small=given.small))
    return race.race(work, peers, training.FOLDER / "training" / "gpu", given.rounds, training.say)


def _on_the_processor(work: Work) -> Work:
    """The contestants that take part, told to use the graphics processor."""
    return replace(work, contestants={n: _larger(work.contestants[n]) for n in (OURS, *_PEERS)})


def _larger(contestant: Contestant) -> Contestant:
    job = contestant.job
    options = job.options | ({"packs": _PACKS} if contestant.is_peer else {})
    return replace(
        contestant, job=replace(job, device="cuda", count=_ROWS, batch_size=_BATCH, options=options)
    )


def _ratios(name: str, figures: dict[str, dict]) -> list[tuple[str, dict[str, float]]]:
    ours = figures[OURS]
    speed = {p: ours["tokens_per_second"] / figures[p]["tokens_per_second"] for p in _PEERS}
    memory = {p: figures[p]["device_memory_bytes"] / ours["device_memory_bytes"] for p in _PEERS}
    return [
        (key, {p: round(ratio, 2) for p, ratio in {**found, "best_peer": min(found.values())}.items()})
        for key, found in ((name, speed), (f"{name}_memory", memory))
    ]


if __name__ == "__main__":
    main()
