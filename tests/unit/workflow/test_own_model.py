"""A model of one's own through the whole loop: run, stopped and resumed, served, exported."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core.errors import StoppedError
from tunesmith.models import loading
from tunesmith.models.language import LanguageModel
from tunesmith.models.resolve import Resolved
from tunesmith.models.sampling import Sampling
from tunesmith.serve.deployment import TextDeployment, deploy
from tunesmith.serve.engine import Prompt
from tunesmith.workflow import exporting
from tunesmith.workflow import plan as planning
from tunesmith.workflow import run as running

CODE = '''
import torch
from torch import nn


class Mean(nn.Module):
    """Each token with the mean of those before it."""

    def __init__(self, *, vocab: int, hidden: int = 16):
        super().__init__()
        self.embed = nn.Embedding(vocab, hidden)
        self.inner = nn.Sequential(nn.Linear(2 * hidden, hidden), nn.GELU(), nn.Linear(hidden, hidden))

    def forward(self, ids):
        states = self.embed(ids)
        before = states.cumsum(1) / torch.arange(1, ids.shape[1] + 1)[:, None]
        return self.inner(torch.cat([states, before], -1))
'''


@pytest.fixture
def mine(desk: Any) -> Iterator[Any]:
    """A recipe with the file of its model beside it."""
    (desk.folder / "mine_beside.py").write_text(CODE, encoding="utf-8")
    desk.values |= {
        "task": "generate",
        "model": {"code": "mine_beside:Mean", "vocab": 400, "context": 64},
        "train": {"epochs": 1, "batch_size": 8},
    }
    desk.values["data"] |= {"fields": {"text": "text"}}
    yield desk
    sys.modules.pop("mine_beside", None)


def test_a_run_is_resumed_from_its_lock_by_another_process(
    mine: Any, tmp_path: Path, weights: Callable[[Path], dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine.run()
    whole = weights(mine.plan().run.model)
    mine.workspace = type(mine.workspace)(tmp_path / "another")
    asked = count(1)
    with pytest.raises(StoppedError):
        running.run(mine.plan(), stop=lambda: next(asked) == 3)
    folder = mine.plan().run
    # Another process has loaded nothing, and may stand anywhere.
    sys.modules.pop("mine_beside")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    list(running.events(planning.resume(folder, mine.workspace)))
    assert weights(folder.model) == whole


def test_other_code_is_another_run(mine: Any) -> None:
    before = mine.plan()
    identity = before.run.id
    file = mine.folder / "mine_beside.py"
    file.write_text(CODE.replace("GELU", "ReLU"), encoding="utf-8")
    sys.modules.pop("mine_beside")
    after = mine.plan()
    assert after.run.id != identity
    assert after.data_key == before.data_key


def test_it_is_served_and_exported_like_any_other(mine: Any, tmp_path: Path) -> None:
    mine.run()
    folder = mine.plan().run.model
    model = loading.load(Resolved(name="mine", folder=folder))
    assert isinstance(model, LanguageModel)
    expected = model.generate("How do I", max_new_tokens=5)
    served = deploy(model)
    assert isinstance(served, TextDeployment)
    prompt = Prompt(model.tokenizer.encode("How do I").ids[:-1], Sampling(max_new_tokens=5))

    async def read() -> list[int]:
        return [token.id async for _, token in served.engine.submit([prompt])]

    try:
        assert model.tokenizer.decode(asyncio.run(read())) == expected
    finally:
        served.engine.close()
    exporting.export(str(folder), mine.workspace, tmp_path / "exported")
    again = loading.load(Resolved(name="mine", folder=tmp_path / "exported"))
    assert isinstance(again, LanguageModel)
    assert again.generate("How do I", max_new_tokens=5) == expected
    assert not list((tmp_path / "exported").glob("*.py"))
