"""From the run of pretrain-tiny.yaml to the folder that is in the package: `package.py RUN CORPUS OUT`.

Weights are rounded to bfloat16; the model card is filled in from what the run noted.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from tunesmith.core import recipe_file
from tunesmith.core.events import Step
from tunesmith.core.recipe import Scratch
from tunesmith.core.runs import RunFolder
from tunesmith.models import scratch, tokenizer
from tunesmith.models.card import Card
from tunesmith.models.contract import TEMPLATES, PromptContract

_ROWS = 12  # of the table of losses


def weights(model: Path, out: Path) -> int:
    """Write the weights as bfloat16; returns how many there are."""
    found = load_file(str(model / "model.safetensors"))
    rounded = {name: value.to(torch.bfloat16).contiguous() for name, value in found.items()}
    save_file(rounded, str(out / "model.safetensors"), metadata={"format": "pt"})
    (out / "model.safetensors").chmod(0o644)
    config = tokenizer.read_json(model / "config.json")
    _write(out / "config.json", {**config, "dtype": "bfloat16"})
    return sum(value.numel() for value in rounded.values())


def curve(steps: list[Step]) -> str:
    """The training loss as rows of a table, each the mean of the steps since the row before."""
    size = -(-len(steps) // _ROWS)
    rows, seen = [], 0
    for start in range(0, len(steps), size):
        part = steps[start : start + size]
        seen += sum(step.tokens for step in part)
        loss = sum(step.loss * step.tokens for step in part) / sum(step.tokens for step in part)
        rows.append(f"| {part[-1].step:,} | {seen:,} | {loss:.3f} |")
    return "\n".join(rows)


def facts(run: RunFolder, corpus: Path, parameters: int) -> dict[str, Any]:
    """What the model card says."""
    recipe = recipe_file.load(run.recipe)
    steps = [event for event in run.events.read() if isinstance(event, Step)]
    result = run.result() or {}
    size = recipe.model[0]
    if not isinstance(size, Scratch):
        raise SystemExit(f"{run.recipe}: not a model from nothing")
    content = corpus.read_bytes()
    return {
        **size.model_dump(),
        "parameters": parameters,
        "texts": content.count(b"\n"),
        "megabytes": len(content) / 1e6,
        "corpus": hashlib.sha256(content).hexdigest(),
        "steps": len(steps),
        "tokens": sum(step.tokens for step in steps),
        "epochs": recipe.train.epochs,
        "rate": recipe.train.optimizer.settings["lr"],
        "curve": curve(steps),
        "held": result["ledger"]["held_out"]["test"],
        "perplexity": result["scores"]["perplexity"],
        "versions": recipe.lock.versions if recipe.lock else {},
        "threads": recipe.lock.threads if recipe.lock else 0,
    }


def contract(run: RunFolder, context: int) -> PromptContract:
    """The prompt contract that the recipe asks for."""
    prompt = recipe_file.load(run.recipe).prompt
    tokens = tokenizer.load(run.model)
    own = scratch.contract(tokens).with_template(prompt.template or TEMPLATES["chatml"], tokens)
    given = {"max_new_tokens": prompt.max_new_tokens} if prompt.max_new_tokens else {}
    return replace(own, context=context, generation=replace(own.generation, **given))


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    run, out = RunFolder(given.run), given.out
    out.mkdir(parents=True, exist_ok=True)
    parameters = weights(run.model, out)
    known = facts(run, given.corpus, parameters)
    contract(run, known["context"]).save(out)
    for name in (tokenizer.FILE, "tokenizer_config.json", "generation_config.json"):
        if (run.model / name).exists():
            (out / name).write_bytes((run.model / name).read_bytes())
    Card(kind="language", context=known["context"], lineage={"recipe": "pretrain-tiny"}).save(out)
    card = (Path(__file__).parent / "card.md").read_text(encoding="utf-8")
    (out / "README.md").write_text(card.format(**known), encoding="utf-8")
    kept = {key: known[key] for key in ("versions", "threads", "steps", "tokens", "perplexity", "corpus")}
    _write(out / "training.json", kept)


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
