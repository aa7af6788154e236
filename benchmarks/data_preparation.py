"""Data preparation beside datatrove and datasets with datasketch: the same chain on the same corpus.

    python benchmarks/data_preparation.py [--runs 5] [--sizes 20 200] [--shared ../shared/data] [--json]

The corpus is made from the real data sets of `--shared` with planted repeats, dirt, personal data and junk.
The chain repairs, strips, normalises, filters, masks personal data, drops exact and near duplicates (Jaccard
index of five-character runs at least 0.8, 20 bands of 6) and writes Parquet. Peers run in environments of
their own, made with pip below build/bench, with two workers; the chains take turns. Seconds are wall time
from the start of Python to its end. Printed is one JSON object: `ratios` are the peers' seconds (or bytes)
divided by ours. The table on stderr says the same to a reader.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from preparation import clock, corpus, quality

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / "build" / "bench"
SHARED = Path(os.environ.get("TUNESMITH_SHARED_DATA", HERE.parents[1] / "shared" / "data"))
CLEANERS = (
    "fix_mojibake, strip_html, normalise, {name: limit_length, shortest: 10}, drop_symbols, drop_repetitive, "
    "mask_pii, dedup"
)
PEERS = {
    "datatrove": ("datatrove[processing,io,multilingual]==0.10.1",),
    "datasets_datasketch": ("datasets==5.2.0", "datasketch==2.0.0", "ftfy==6.3.1"),
}
SCRIPTS = {"datatrove": "datatrove_chain.py", "datasets_datasketch": "datasets_chain.py"}


def main() -> None:
    arguments = _arguments()
    smallest, *larger = sorted(arguments.sizes)
    files, plants = corpus.write(arguments.shared, FOLDER / "data", smallest)
    chains = {"tunesmith": _ours(files)} | {name: _peer(name, files) for name in PEERS}
    runs = _race(chains, arguments.runs)
    ours = {"chain": {f"{smallest} MB": clock.median(runs["tunesmith"])}}
    _say(f"quality on {smallest} MB (the truth is computed once)")
    ours["near_duplicates"] = quality.of_search(plants)
    ours["chain_quality"] = quality.of_chain(plants, FOLDER / "tunesmith" / "clean.parquet.ledger.parquet")
    ours["label_issues"] = quality.of_labels(arguments.shared)
    for size in larger:
        chain = _ours(corpus.write(arguments.shared, FOLDER / "data", size)[0])
        measured = _race({"tunesmith": chain}, min(3, arguments.runs))["tunesmith"]
        ours["chain"][f"{size} MB"] = clock.median(measured)
    peers = {name: {"chain": {f"{smallest} MB": clock.median(runs[name])}} for name in PEERS}
    result = {
        "machine": clock.machine(),
        "ours": ours,
        "peers": peers,
        "ratios": _ratios(ours, peers, smallest),
    }
    if not arguments.json:
        _table(result)
    print(json.dumps(result, indent=2))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5, help="how often each chain runs; medians are told")
    parser.add_argument("--sizes", type=int, nargs="+", default=[20, 200], help="MB; peers run the smallest")
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the real data sets")
    parser.add_argument("--json", action="store_true", help="only the JSON object, without the table")
    return parser.parse_args()


Chain = Callable[[Path], list[str | Path]]


def _ours(files: Path) -> Chain:
    """The product's own command; its ledger says where each row ended."""
    command = Path(sys.executable).with_name("tunesmith")
    given = ["data", "clean", files, "--clean", CLEANERS, "--json"]
    return lambda out: [command, *given, "--workspace", out, "--out", out / "clean.parquet"]


def _peer(name: str, files: Path) -> Chain:
    python = _environment(name)
    source = _halves(files) if name == "datatrove" else files
    return lambda out: [python, HERE / "preparation" / SCRIPTS[name], source, out]


def _environment(name: str) -> Path:
    """The Python of a peer's environment, made when it is not there."""
    folder = FOLDER / f"{name}-env"
    ready = folder / "ready"
    if not ready.exists():
        _say(f"making the environment of {name}")
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", *PEERS[name]], check=True)
        ready.touch()
    return folder / "bin" / "python"


def _halves(files: Path) -> Path:
    """The corpus in two files, as datatrove's two workers want it; not counted in its time."""
    folder = files.with_suffix(".halves")
    if not folder.exists():
        folder.mkdir()
        lines = files.read_bytes().splitlines(keepends=True)
        middle = len(lines) // 2
        (folder / "0.jsonl").write_bytes(b"".join(lines[:middle]))
        (folder / "1.jsonl").write_bytes(b"".join(lines[middle:]))
    return folder


def _race(chains: dict[str, Chain], runs: int) -> dict[str, list[clock.Measured]]:
    measured: dict[str, list[clock.Measured]] = {name: [] for name in chains}
    for number in range(runs):
        for name, command in chains.items():
            out = FOLDER / name
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir(parents=True)
            measured[name].append(clock.measure(command(out), out / "log"))
            _say(f"run {number + 1}: {name} {measured[name][-1].seconds:.2f} s")
    return measured


def _ratios(ours: dict, peers: dict, size: int) -> dict[str, dict[str, float]]:
    ratios = {}
    for work, figure in (
        ("chain", "seconds"),
        ("chain_processor", "processor_seconds"),
        ("chain_memory", "peak_memory_bytes"),
    ):
        own = ours["chain"][f"{size} MB"][figure]
        found = {name: round(peers[name]["chain"][f"{size} MB"][figure] / own, 2) for name in peers}
        ratios[work] = {**found, "best_peer": min(found.values())}
    return ratios


def _table(result: dict) -> None:
    _say(f"{'chain':24}{'corpus':>10}{'seconds':>10}{'processor s':>13}{'peak MB':>10}")
    everyone = {"tunesmith": result["ours"], **result["peers"]}
    for name, found in everyone.items():
        for size, figures in found["chain"].items():
            peak = figures["peak_memory_bytes"] / 1e6
            _say(
                f"{name:24}{size:>10}{figures['seconds']:>10.2f}{figures['processor_seconds']:>13.2f}{peak:>10.0f}"
            )
    for what in ("near_duplicates", "chain_quality", "label_issues"):
        _say(f"{what}: {result['ours'][what]}")
    _say(f"ratios: {result['ratios']}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
