"""A model behind our server is measured as it is here: by the route of its task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest
import torch
from transformers import BertConfig, BertModel

from tunesmith.core import components
from tunesmith.core.workspace import Workspace
from tunesmith.models import tokenizer as tokenizers
from tunesmith.models.heads import Headed
from tunesmith.models.reader import TextReader
from tunesmith.models.reference import EncoderDecoderConfig, ReferenceForSeq2SeqLM
from tunesmith.models.tagger import TextTagger
from tunesmith.models.translator import Translator
from tunesmith.serve.deployment import deploy
from tunesmith.serve.server import serving
from tunesmith.workflow import measuring, served

TEXTS = ["Ada lives in Paris.", "猫坐在垫子上。", "The parcel came on Monday."]
TOKENS = tokenizers.train(TEXTS * 3, kind="bpe", vocab=300)
SIZE = {"vocab_size": 300, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
PAIRS = pl.DataFrame({"_row": [0, 1, 2], "source": TEXTS, "target": TEXTS[::-1]})
FRAMES = {
    "tag": pl.DataFrame(
        {
            "_row": [0, 1, 2],
            "text": TEXTS,
            "tokens": [None, None, None],
            "spans": [[{"start": 0, "end": 3, "label": "x"}]] * 3,
        }
    ),
    "answer": pl.DataFrame(
        {
            "_row": [0, 1, 2],
            "question": ["Where?"] * 3,
            "context": TEXTS,
            "answers": [[{"text": "Paris"}]] * 3,
        }
    ),
    "translate": PAIRS,
    "summarise": PAIRS,
}


def encoder() -> BertModel:
    return BertModel(BertConfig(**SIZE, intermediate_size=16, max_position_embeddings=64)).eval()


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    torch.manual_seed(0)
    shared: dict[str, Any] = {"tokenizer": TOKENS, "context": 64}
    config = EncoderDecoderConfig(**SIZE, max_position_embeddings=64, pad_token_id=0, eos_token_id=2)
    made = {
        "tag": TextTagger(name="tag", module=Headed(encoder(), 3).eval(), labels=("x",), **shared),
        "answer": TextReader(name="answer", module=Headed(encoder(), 2).eval(), labels=(), **shared),
        "translate": Translator(name="translate", module=ReferenceForSeq2SeqLM(config).eval(), **shared),
        "summarise": Translator(
            name="summarise", module=ReferenceForSeq2SeqLM(config).eval(), task="summarise", **shared
        ),
    }
    for model in made.values():
        for parameter in model.module.parameters():
            parameter.data.add_(torch.randn_like(parameter) * 0.3)
    return made


@pytest.fixture(scope="module")
def url(models: dict[str, Any]) -> Iterator[str]:
    with serving([deploy(model) for model in models.values()]) as address:
        yield address


@pytest.mark.parametrize("name", FRAMES)
def test_what_it_does_is_what_the_model_does_here(
    name: str, url: str, models: dict[str, Any], tmp_path: Any
) -> None:
    task = components.tasks.get(name)()
    there = served.find(f"{url}#{name}", Workspace(tmp_path))
    assert isinstance(there, served.Served)
    found = served.outcome(task, there, FRAMES[name])
    wanted = measuring.outcome_of(task, models[name], FRAMES[name], None)
    assert found == wanted
    assert any(wanted.predicted)  # type: ignore[union-attr, arg-type]
