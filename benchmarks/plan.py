"""How well `check` foretells a run: predicted and measured memory and time, each in a process of its own.

    python benchmarks/plan.py [RECIPE ...] [--set a.b=c]

Without recipes, some small ones on the data of the repository's demo and of TUNESMITH_SHARED_DATA, if it is
there. Prints a line for each; the ratio is predicted / measured. Time is that of training and evaluation.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

RECIPES = {
    "encoder": """\
task: classify
model: {architecture: bert, hidden: 256, layers: 4, heads: 4, vocab: 4000, context: 128}
data: {source: messages.csv, on_error: drop}
train: {epochs: 4, batch_size: 32, optimizer: {name: adamw, lr: 1e-3}}
""",
    "encoder, lora": """\
task: classify
model: minilm
data: {source: messages.csv, on_error: drop}
train: {epochs: 2, batch_size: 32, method: lora, optimizer: {name: adamw, lr: 5e-4}}
""",
    "decoder": """\
task: chat
model: tiny-zh-en
data: {source: "SHARED/sft_alpaca_demo/alpaca_en_demo.json", max_length: 256, on_error: drop}
train: {epochs: 1, batch_size: 16, optimizer: {name: adamw, lr: 5e-4}}
""",
    "decoder, lora": """\
task: chat
model: tiny-zh-en
data: {source: "SHARED/sft_alpaca_demo/alpaca_en_demo.json", max_length: 256, on_error: drop}
train: {epochs: 1, batch_size: 16, method: lora, optimizer: {name: adamw, lr: 1e-3}}
""",
}


def tunesmith(*arguments: str) -> dict[str, Any]:
    found = subprocess.run(
        [sys.executable, "-m", "tunesmith", *arguments, "--json"], capture_output=True, text=True, check=False
    )
    if found.returncode not in (0, 7):
        sys.exit(found.stderr or found.stdout)
    value: dict[str, Any] = json.loads(found.stdout)
    return value


def compare(name: str, recipe: Path, workspace: Path, overrides: list[str]) -> None:
    given = [str(recipe), "--workspace", str(workspace), *(x for o in overrides for x in ("--set", o))]
    plan = tunesmith("check", *given)["plan"]
    # The rows that were prepared and encoded for `check` are there; what is compared comes after them.
    result = tunesmith("run", *given)
    memory, seconds = result["peak_memory_bytes"], result["seconds"]
    print(
        f"{name:24} memory {plan['peak_memory_bytes'] / 1e6:7,.0f} / {memory / 1e6:7,.0f} MB"
        f" = {plan['peak_memory_bytes'] / memory:4.2f}"
        f"   time {plan['seconds']:7.1f} / {seconds:7.1f} s = {plan['seconds'] / seconds:4.2f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*", type=Path)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    given = parser.parse_args()
    shared = os.environ.get("TUNESMITH_SHARED_DATA", str(Path(__file__).parents[2] / "shared" / "data"))
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        found = {str(path): path for path in given.recipes}
        if not found:
            from tunesmith.workflow import sample

            sample.write(here / "messages.csv", language="en")
            for number, (name, text) in enumerate(RECIPES.items()):
                if "SHARED" not in text or Path(shared).is_dir():
                    found[name] = here / f"recipe-{number}.yaml"
                    found[name].write_text(text.replace("SHARED", shared), "utf-8")
        for number, (name, path) in enumerate(found.items()):
            compare(name, path, here / f"workspace-{number}", given.overrides)


main()
