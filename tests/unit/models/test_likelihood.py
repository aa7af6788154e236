"""How likely a model finds a text: the same whether it is read at once or in pieces."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tunesmith.models import likelihood
from tunesmith.models.language import LanguageModel
from tunesmith.models.likelihood import read
from tunesmith.models.loading import load
from tunesmith.models.resolve import Resolved
from tunesmith.models.token import Likelihood


@pytest.fixture(scope="module")
def stories(shared_data: Path) -> LanguageModel:
    model = load(Resolved(name="stories", folder=shared_data / "weights" / "stories260K-hf"))
    assert isinstance(model, LanguageModel)
    return model


def test_each_token_is_given_those_before_it(stories: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = stories.tokenizer.encode("Once upon a time, there was a little girl who had a red ball.").ids
    found = read(stories.module, ids, 3)  # type: ignore[arg-type]
    with torch.inference_mode():
        expected = stories.module(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
    assert [f.logprob for f in found] == expected.gather(-1, torch.tensor(ids[1:])[:, None])[:, 0].tolist()
    assert [[token for token, _ in f.top] for f in found] == expected.topk(3).indices.tolist()

    monkeypatch.setattr(likelihood, "_HELD", 512 * 5)  # five tokens at a time
    pieces = read(stories.module, ids, 3)  # type: ignore[arg-type]
    assert [p.logprob for p in pieces] == pytest.approx([f.logprob for f in found], abs=1e-5)
    assert read(stories.module, ids[:1], 3) == list[Likelihood]()  # type: ignore[arg-type]
