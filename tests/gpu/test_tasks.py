"""Every task runs from recipe to report on a graphics processor, and what it published answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tunesmith

DECODER = {"architecture": "llama", "hidden": 64, "layers": 2, "heads": 4, "vocab": 400, "context": 128}
ENCODER = {**DECODER, "architecture": "bert"}
BOTH = {**DECODER, "architecture": "transformer"}
WORDS = ["red", "green", "blue", "cold", "warm", "fast", "slow", "big", "small", "old", "new", "kind"]
ROWS = [
    (f"the {a} {b} fox number {i}", a, b) for i, (a, b) in enumerate((a, b) for a in WORDS for b in WORDS)
]

TASKS: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "generate": (DECODER, [{"text": text} for text, _, _ in ROWS]),
    "chat": (
        DECODER,
        [
            {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": a}]}
            for text, a, _ in ROWS
        ],
    ),
    "prefer": (DECODER, [{"prompt": text, "chosen": a, "rejected": b} for text, a, b in ROWS if a != b]),
    "classify": (ENCODER, [{"text": text, "label": a} for text, a, _ in ROWS if a in WORDS[:3]]),
    "score": (ENCODER, [{"text": text, "score": WORDS.index(a) / 12} for text, a, _ in ROWS]),
    "embed": (ENCODER, [{"source": f"{a} {b}", "target": text} for text, a, b in ROWS]),
    "mask": (ENCODER, [{"text": text} for text, _, _ in ROWS]),
    "translate": (BOTH, [{"source": text, "target": f"{b} {a}"} for text, a, b in ROWS]),
}


@pytest.mark.parametrize("task", TASKS)
def test_a_recipe_runs_to_its_report(task: str, tmp_path: Path) -> None:
    model, rows = TASKS[task]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    recipe = {
        "task": task,
        "model": model,
        "data": {"source": str(tmp_path / "rows.jsonl"), "split": {"similar": None}},
        "train": {"epochs": 6, "batch_size": 16, "optimizer": {"name": "adamw", "lr": 2e-3}},
        "publish": {"name": "made"},
    }
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe), encoding="utf-8")
    result = tunesmith.run(tmp_path / "recipe.yaml", workspace=tmp_path / "workspace")
    losses = _losses(Path(result["path"]))
    half = len(losses) // 2
    assert sum(losses[-half:]) < sum(losses[:half])
    assert result["scores"]
    assert tunesmith.load(result["release"], workspace=tmp_path / "workspace")


def _losses(run: Path) -> list[float]:
    records = map(json.loads, (run / "events.jsonl").read_text("utf-8").splitlines())
    return [record["loss"] for record in records if record["event"] == "Step"]
