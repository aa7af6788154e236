"""Servers over HTTP, beside each other: the same model, prompts and answers, on this processor.

    python benchmarks/serving.py [--work language classification native layer] [--contestants NAME ...]
        [--shape 135M] [--rounds 3] [--patience 180] [--ours] [--small]

`language`: a decoder of the shape of SmolLM2-135M (or Qwen3-0.6B: `--shape`) with random weights in float32,
asked for 128 tokens in streamed chats by 1, 8 and 32 clients, each of which asks again as soon as it is
answered; by our own engine with weights in bfloat16 and int8 too, beside transformers serve (one request
after another, and with continuous batches), LLaMA-Factory's api, and llama-server with weights of as many
bits.
`classification`: an encoder of six layers and four labels, beside a pipeline of transformers behind FastAPI.
`native`: that decoder without HTTP, by our own engine beside llama.cpp and OpenVINO GenAI with weights of as
many bits: tokens per second that 1, 8 and 32 sequences are continued by, and those of a long prompt that are
read; what is reached of the memory's bandwidth, which is measured before and after each. `layer`: what HTTP
costs our own engines beside being asked in their process.

Contestants take turns; told are medians over rounds, and `ratios` that are larger than 1 where we are ahead.
Peers run in environments made with pip below build/bench. One JSON object is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from preparation import clock
from servers import contestants, in_process, layer, models, race
from trainers import environment

from tunesmith.serve.load import Load

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / "build" / "bench"
SHARED = Path(os.environ.get("TUNESMITH_SHARED_DATA", HERE.parents[1] / "shared" / "data"))
_PEERS = ("transformers[serving]==5.23.0", "accelerate==1.15.0")
_CLIENTS = (1, 8, 32)


def main() -> None:
    given = _arguments()
    peers = partial(environment.python, FOLDER / "serving-env", _PEERS)
    folder = FOLDER / "serving" / ("small" if given.small else "large")
    loads = _loads(given)
    found = {}
    for work in given.work:
        if work == "layer":
            model = models.decoder(folder, given.shared, given.shape, small=given.small)
            found[work] = layer.measure(model, loads[-1], given.rounds, folder / "logs", say)
            continue
        if work == "native":
            model = models.decoder(folder, given.shared, given.shape, small=given.small)
            commands = in_process.contestants(model, given.shape, FOLDER, peers=not given.ours)
            found[work] = in_process.race(commands, given.rounds, say)
            continue
        if work == "language":
            model = models.decoder(folder, given.shared, given.shape, small=given.small)
            names = [
                name
                for name in given.contestants
                if not given.ours or "tunesmith" in name or "native" in name
            ]
            taking_part = contestants.language(model, names, peers, FOLDER)
        else:
            both = models.encoder(folder, given.shared, small=given.small)
            taking_part = contestants.classification(*both, None if given.ours else peers())
        found[work] = race.race(taking_part, loads, given.rounds, folder / "logs", say)
    print(json.dumps({"machine": clock.machine(), **found}, indent=None if given.json else 1))


def _loads(given: argparse.Namespace) -> list[Load]:
    tokens = 8 if given.small else 128
    wished = Load(seconds=given.seconds, words=40, tokens=tokens, patience=given.patience)
    return [replace(wished, clients=number) for number in given.clients]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    works = ["language", "classification", "native", "layer"]
    parser.add_argument("--work", nargs="+", choices=works, default=works)
    parser.add_argument("--rounds", type=int, default=3, help="how often each contestant runs")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each load lasts")
    parser.add_argument("--patience", type=float, default=180.0, help="seconds until an answer is an error")
    parser.add_argument("--clients", type=int, nargs="+", default=_CLIENTS)
    parser.add_argument(
        "--contestants", nargs="+", choices=contestants.LANGUAGE, default=contestants.LANGUAGE,
        metavar="NAME", help=f"of the work language: {', '.join(contestants.LANGUAGE)}",
    )  # fmt: skip
    parser.add_argument("--shape", choices=models.SHAPES, default="135M", help="of the decoder")
    parser.add_argument("--ours", action="store_true", help="without the peers")
    parser.add_argument("--small", action="store_true", help="tiny models, to try the script out")
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the real data sets")
    parser.add_argument("--json", action="store_true", help="on one line")
    return parser.parse_args()


def say(line: str) -> None:
    """Progress goes to stderr."""
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    main()
