"""Whatever is asked within, or just outside, what the API document allows: never a failure of the server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertModel

from tunesmith.models import tokenizer as tokenizers
from tunesmith.models.embedder import TextEmbedder
from tunesmith.models.heads import Headed
from tunesmith.models.language import LanguageModel
from tunesmith.models.loading import load
from tunesmith.models.reader import TextReader
from tunesmith.models.resolve import Resolved
from tunesmith.models.tagger import TextTagger
from tunesmith.serve.admission import Limits
from tunesmith.serve.deployment import deploy
from tunesmith.serve.engine import Prompt, TokenStream
from tunesmith.serve.request_log import RequestLog
from tunesmith.serve.server import serving
from tunesmith.serve.torch_engine import TorchEngine

asking = pytest.importorskip("asking")


class Terse(TorchEngine):
    """Says four tokens at most, however many are wanted."""

    def submit(self, prompts: Sequence[Prompt]) -> TokenStream:
        short = [
            replace(p, sampling=replace(p.sampling, max_new_tokens=min(4, p.sampling.max_new_tokens)))
            for p in prompts
        ]
        return super().submit(short)


@pytest.fixture(scope="module")
def url(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = shared_data / "weights" / "stories260K-hf"
    stories = load(Resolved(name="stories", folder=folder))
    assert isinstance(stories, LanguageModel)
    torch.manual_seed(0)
    tokens = tokenizers.train(["Ada lives in Paris."], kind="bpe", vocab=300)
    size: Any = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    bert = BertModel(BertConfig(vocab_size=300, max_position_embeddings=64, **size)).eval()
    shared: dict[str, Any] = {"tokenizer": tokens, "context": 64}
    text: Any = deploy(stories, name="0")
    text.engine.close()
    deployments = [
        replace(text, engine=Terse(stories.module, Limits())),
        deploy(TextEmbedder(name="1", module=bert, **shared)),
        deploy(TextTagger(name="2", module=Headed(bert, 3).eval(), labels=("x",), **shared)),
        deploy(TextReader(name="3", module=Headed(bert, 2).eval(), labels=(), **shared)),
    ]
    log = RequestLog(tmp_path_factory.mktemp("requests"))
    with serving(deployments, log=log) as found:
        yield found


def models_of(path: str) -> str:
    """The model that answers at a route; others are tried by chance."""
    return {"/v1/embeddings": "1", "/v1/tag": "2", "/v1/answer": "3"}.get(path, "0")


def name_a_model(case: Any, path: str) -> None:
    """Few would name a model by chance."""
    if isinstance(case.body, dict) and "model" in case.body and len(str(case.body)) % 8:
        case.body["model"] = models_of(path)


@pytest.mark.faults
def test_no_request_makes_the_server_fail(url: str) -> None:
    statuses = asking.play(url, examples=450, change=name_a_model)
    print(f"{sum(statuses.values())} requests: {dict(statuses)}")
    assert {200, 400} <= set(statuses)
    assert sum(statuses.values()) >= 10_000, statuses
