"""Translation from nothing on two cores: Chinese to English with the reference Transformer.

    python benchmarks/translation.py [--set train.epochs=12 ...] [--shared ../shared/data] [--json]

Carries out recipes/translate.yaml on the 18,088 Tatoeba pairs of `--shared`, of which 1,000 are held out,
whole clusters of near duplicates at a time. Printed is one JSON object: chrF and BLEU of the model, of a copy
of the source, and of the target of the nearest training source; `ratios` are the model's scores divided by
those, and larger than 1 means ahead. Seconds are of the whole run, data and evaluation included.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from preparation import clock

HERE = Path(__file__).resolve().parent
RECIPE = HERE.parent / "recipes" / "translate.yaml"
WORKSPACE = HERE.parent / "build" / "bench" / "translation"
SHARED = Path(os.environ.get("TUNESMITH_SHARED_DATA", HERE.parents[1] / "shared" / "data"))


def main() -> None:
    arguments = _arguments()
    shutil.rmtree(WORKSPACE, ignore_errors=True)
    pairs = arguments.shared / "mt_tatoeba_en_zh" / "cmn.tsv"
    result, seconds, processor = _run([f"data.source={pairs}", *arguments.set])
    scores, baselines = result["scores"], result["baselines"]
    report = {
        "machine": clock.machine(),
        "ours": {
            "scores": scores,
            "rows": result["ledger"],
            "wall_seconds": round(seconds, 1),
            "processor_seconds": round(processor, 1),
            "peak_memory_bytes": result["peak_memory_bytes"],
        },
        "peers": baselines,
        "ratios": {metric: _ratios(metric, score, baselines) for metric, score in scores.items()},
    }
    print(json.dumps(report, ensure_ascii=False, indent=None if arguments.json else 1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--json", action="store_true", help="on one line")
    return parser.parse_args()


def _run(settings: list[str]) -> tuple[dict[str, Any], float, float]:
    """The result of the recipe, seconds of wall time, seconds of processor time."""
    command = [sys.executable, "-m", "tunesmith", "run", str(RECIPE), "--json", "--workspace", str(WORKSPACE)]
    for setting in settings:
        command += ["--set", setting]
    began = time.monotonic()
    # Progress goes to stderr; a gate that stays shut (7) is a result too.
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    seconds = time.monotonic() - began
    if done.returncode not in (0, 7):
        raise SystemExit(done.returncode)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    path = next((WORKSPACE / "runs").glob("*/result.json"))
    return json.loads(path.read_text(encoding="utf-8")), seconds, used.ru_utime + used.ru_stime


def _ratios(metric: str, score: float, baselines: dict[str, dict[str, float]]) -> dict[str, float]:
    found = {name: round(score / max(scores[metric], 1e-9), 2) for name, scores in baselines.items()}
    return {**found, "best_peer": min(found.values())}


if __name__ == "__main__":
    main()
