"""From raw rows to an answer over HTTP, through the command line only, as a user would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from openai import OpenAI

RECIPE = """
task: chat
model: {model}
data:
  source: rows.json
  split: {{test: 0.2, validation: 0.1}}
train:
  method: {{name: lora, rank: 4}}
  optimizer: {{name: adamw, lr: 1e-2}}
  epochs: 2
publish: {{name: helper}}
"""


def tunesmith(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tunesmith", *words], cwd=cwd, capture_output=True, text=True, check=False
    )


@contextmanager
def served(cwd: Path, *models: str) -> Iterator[str]:
    command = [sys.executable, "-m", "tunesmith", "serve", *models, "--port", "0", "--json"]
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, text=True) as server:
        try:
            line = server.stdout.readline() if server.stdout else ""
            yield json.loads(line)["url"]
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(timeout=30) == 0


@pytest.fixture(scope="module")
def trained(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("loop")
    rows = json.loads((shared_data / "sft_alpaca_demo" / "alpaca_en_demo.json").read_text("utf-8"))
    (folder / "rows.json").write_text(json.dumps(rows[:40]), encoding="utf-8")
    model = os.path.relpath(shared_data / "weights" / "stories260K-hf", folder)
    (folder / "recipe.yaml").write_text(RECIPE.format(model=model), encoding="utf-8")
    ran = tunesmith("run", "recipe.yaml", "--json", cwd=folder)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["release"] == "helper@1"
    return folder


def test_the_openai_client_chats_with_a_trained_adapter_as_ask_does(trained: Path) -> None:
    asked = tunesmith("ask", "helper", "Name a color.", "--max-new-tokens", "24", "--json", cwd=trained)
    assert asked.returncode == 0, asked.stderr
    messages = [{"role": "user", "content": "Name a color."}]
    with served(trained, "helper") as url, OpenAI(base_url=f"{url}/v1", api_key="none") as client:
        whole = client.chat.completions.create(model="helper", messages=messages, max_tokens=24)  # type: ignore[arg-type]
        pieces = client.chat.completions.create(
            model="helper", messages=messages, max_tokens=24, stream=True  # type: ignore[arg-type]
        )  # fmt: skip
        streamed = "".join(piece.choices[0].delta.content or "" for piece in pieces)
    assert whole.usage is not None
    assert whole.usage.completion_tokens > 0
    assert streamed == whole.choices[0].message.content == json.loads(asked.stdout)["answer"]


def test_asking_again_runs_nothing(trained: Path) -> None:
    log = next((trained / ".tunesmith" / "runs").iterdir()) / "events.jsonl"
    before = log.read_bytes()
    again = tunesmith("run", "recipe.yaml", "--json", cwd=trained)
    assert json.loads(again.stdout)["release"] == "helper@1"
    assert log.read_bytes() == before


def test_five_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(
        "task: clasify\nmodel: minilm\ndata:\n  source: gone.csv\n  splitt: {test: 0.1}\n"
        "train:\n  epochs: three\n  optimizer: {name: adamw, lrr: 1}\n  method: {name: lora, rank: 0}\n",
        encoding="utf-8",
    )
    done = tunesmith("check", "bad.yaml", "--json", cwd=tmp_path)
    problems = json.loads(done.stdout)["problems"]
    assert done.returncode == 3
    assert [(p["line"], p["field"]) for p in problems if p["code"].startswith("R")] == [
        (1, "task"),
        (5, "data.splitt"),
        (7, "train.epochs"),
        (8, "train.optimizer.lrr"),
        (9, "train.method.rank"),
    ]
    assert problems[-1]["code"] == "D01", "what is right in the recipe is looked at too"
    assert "Traceback" not in done.stderr
    assert not (tmp_path / ".tunesmith").exists()


def test_asking_again_loads_no_tensor_library(trained: Path) -> None:
    code = (
        "import sys; from tunesmith.cli import main; code = main(['run', 'recipe.yaml', '--json']);"
        "sys.exit(code or 'torch' in sys.modules)"
    )
    again = subprocess.run([sys.executable, "-c", code], cwd=trained, capture_output=True, check=False)
    assert again.returncode == 0
