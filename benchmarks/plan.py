"""How well `check` foretells a run: predicted and measured memory and time, each in a process of its own.

    python benchmarks/plan.py [RECIPE ...] [--set a.b=c]

Without recipes, some small ones on the data of the repository's demo and of TUNESMITH_SHARED_DATA, if it is
there. Prints a line for each; the ratio is predicted / measured. Time is that of a run whose
data was prepared; `beside what is kept` is the memory of the largest step for each byte kept for its backward
pass, by which `train/footprint.py` reckons.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

# Seconds by the clock, and those of the processor, which hold on a busy machine too.
_TIMES = {"time": "seconds", "cpu": "cpu_seconds"}

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
    "encoder-decoder": """\
task: translate
model: {architecture: transformer, hidden: 128, layers: 2, heads: 4, vocab: 2000, context: 48}
data:
  source: "SHARED/sft_alpaca_demo/alpaca_en_demo.json"
  fields: {source: instruction, target: output}
  max_length: 48
  on_error: drop
train: {epochs: 1, batch_size: 32, optimizer: {name: adamw, lr: 5e-4}}
""",
    "decoder, lora": """\
task: chat
model: tiny-zh-en
data: {source: "SHARED/sft_alpaca_demo/alpaca_en_demo.json", max_length: 256, on_error: drop}
train: {epochs: 1, batch_size: 16, method: lora, optimizer: {name: adamw, lr: 1e-3}}
""",
    "decoder, last layers": """\
task: chat
model: tiny-zh-en
data: {source: "SHARED/sft_alpaca_demo/alpaca_en_demo.json", max_length: 256, on_error: drop}
train: {epochs: 1, batch_size: 16, method: last_layers, optimizer: {name: adamw, lr: 5e-4}}
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
    began = time.monotonic()
    plan = tunesmith("check", *given)["plan"]
    checked = time.monotonic() - began
    # The rows that were prepared and encoded for `check` are there; what is compared comes after them.
    result = tunesmith("run", *given)
    memory = result["peak_memory_bytes"]
    print(
        f"{name:24} memory {plan['peak_memory_bytes'] / 1e6:7,.0f} / {memory / 1e6:7,.0f} MB"
        f" = {plan['peak_memory_bytes'] / memory:4.2f}"
        + "".join(f"   {word} {_ratio(plan[key], result[key])}" for word, key in _TIMES.items())
        + f"   check itself {checked:.0f} s   beside what is kept {_beside(given, workspace)}",
        flush=True,
    )


def beside(recipe: Path, workspace: Path, overrides: list[str]) -> float:
    """What the largest step takes beside gradients and state, for each byte kept for the backward pass.

    This is what `footprint._BESIDE` stands for. The process must be a new one.
    """
    from tunesmith.core.memory import keep_freed_memory, peak_memory_bytes, resident_memory_bytes
    from tunesmith.core.workspace import Workspace
    from tunesmith.train import footprint
    from tunesmith.train.stepper import Stepper
    from tunesmith.workflow import parts, training
    from tunesmith.workflow import plan as plans

    plan = plans.make(recipe, Workspace(workspace), overrides)
    learner, encoded = training.learner_of(plan, plan.candidates[0], parts.make(plan))
    stepper = Stepper(learner, plan.task, encoded.train, plan.recipe.train, plan.recipe.seed)
    found = footprint.measure(stepper)
    # Only now, so that what was measured with left nothing behind that the step could use.
    keep_freed_memory()
    # The peak of memory begins anew (Linux: proc(5), clear_refs).
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    before = resident_memory_bytes()
    stepper.rehearse()
    rows = min(stepper.settings.batch_size, max(1, stepper.tokens // found.length))
    return (peak_memory_bytes() - before - found.state) / (rows * found.row)


def _beside(given: list[str], workspace: Path) -> str:
    recipe, _, _, *overrides = given
    command = [sys.executable, __file__, recipe, "--beside", str(workspace), *overrides]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _ratio(predicted: float, measured: float) -> str:
    return f"{predicted:6.1f} / {measured:6.1f} s = {predicted / measured:4.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*", type=Path)
    parser.add_argument("--beside", type=Path, metavar="WORKSPACE", help=argparse.SUPPRESS)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    given = parser.parse_args()
    if given.beside:
        print(f"{beside(given.recipes[0], given.beside, given.overrides):.2f}")
        return
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
