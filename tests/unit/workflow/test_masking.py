"""An encoder learns from texts, and other tasks begin with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import tunesmith
from tunesmith.cli.main import main
from tunesmith.core import components
from tunesmith.core.errors import DataError
from tunesmith.eval import metrics
from tunesmith.eval.outcome import TokenOutcome
from tunesmith.models import loading
from tunesmith.models.resolve import resolve
from tunesmith.tasks.task import Start


def test_an_encoder_reads_texts_and_then_classifies(
    bert: Any, rows: list[tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    classify = dict(bert.values)
    (bert.folder / "texts.txt").write_text("\n".join(text for text, _ in rows), encoding="utf-8")
    bert.values |= {
        "task": "mask",
        "publish": {"name": "bank"},
        "data": {**classify["data"], "source": "texts.txt"},
    }
    result = bert.run()
    assert result["scores"].keys() == {"perplexity", "masked_accuracy"}
    assert result["scores"]["perplexity"] < 500
    report = tunesmith.evaluate("bank", bert.folder / "texts.txt", workspace=bert.workspace)
    assert 0 <= report.scores["masked_accuracy"] <= 1
    there = ["--workspace", str(bert.workspace.root)]
    assert main(["ask", "bank", "Where is my [MASK]?", *there]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert main(["ask", "bank", "Where is my card?", *there]) != 0
    assert "T26" in capsys.readouterr().err
    bert.values = {**classify, "model": "bank"}
    assert bert.run("train.epochs=1")["scores"].keys() == {"accuracy", "macro_f1"}
    source = resolve("bank", bert.workspace)
    start = Start(source=source, texts=(), labels=("a",), seed=0, context=None)
    learned = loading.encoder_module(Path(str(source.folder))).get_input_embeddings().weight  # type: ignore[operator]
    for name in ("tag", "embed", "score", "answer"):
        begun: Any = components.tasks.get(name)().build(start, lambda own, tokens: own)  # type: ignore[attr-defined]
        assert torch.equal(begun.backbone.get_input_embeddings().weight, learned)


def test_hidden_tokens_are_counted_only_where_some_are_hidden() -> None:
    nll, tokens = np.ones(2), np.array([1, 3])
    counted = TokenOutcome(nll=nll, tokens=tokens, rows=[0, 1], right=np.array([1, 2]))
    assert metrics.masked_accuracy(counted) == 0.75
    with pytest.raises(DataError, match="T25"):
        metrics.masked_accuracy(TokenOutcome(nll=nll, tokens=tokens, rows=[0, 1]))
    with pytest.raises(DataError, match="E03"):
        metrics.masked_accuracy(TokenOutcome(nll=nll[:0], tokens=tokens[:0], rows=[], right=tokens[:0]))
