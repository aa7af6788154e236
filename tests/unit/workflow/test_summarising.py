"""Summaries from file to model, by an encoder-decoder and by a decoder, beside the first sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tunesmith
from tunesmith.core.errors import RecipeError

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
SIZE = {"hidden": 32, "layers": 1, "heads": 2, "vocab": 600}


@pytest.fixture
def desk(chat: Any, shared_data: Path) -> Any:
    """Abstracts of papers and their titles."""
    lines = (shared_data / "sum_csl_zh" / "ts_dev.tsv").read_text("utf-8").splitlines()
    short = sorted(lines, key=len)[:12]
    (chat.folder / "papers.tsv").write_text("\n".join(short) + "\n", "utf-8")
    fields = {"source": "column_2", "target": "column_3"}
    chat.values |= {"task": "summarise", "data": {"source": "papers.tsv", "fields": fields}}
    chat.values |= {"train": {"epochs": 1, "batch_size": 8}, "publish": {"name": "titles"}}
    del chat.values["prompt"]
    return chat


# A decoder has both texts in its context.
@pytest.mark.parametrize(("architecture", "context"), [("transformer", 48), ("llama", 160)])
def test_what_is_trained_writes_and_is_told_by_rouge_beside_the_lead(
    desk: Any, architecture: str, context: int
) -> None:
    desk.values["model"] = {"architecture": architecture, "context": context, **SIZE}
    result = desk.run()
    assert set(result["scores"]) == {"rouge_l", "rouge_1", "rouge_2"}
    # The first sentence of an abstract has much of the title in it.
    assert result["baselines"]["lead"]["rouge_l"] > 0
    assert result["baselines"]["copy"]["rouge_1"] > 0
    model: Any = tunesmith.load("titles", workspace=desk.workspace)
    assert model.task == "summarise"


def test_only_decoders_have_a_prompt_and_encoders_do_not_write(desk: Any) -> None:
    desk.values["model"] = {"architecture": "transformer", **SIZE}
    with pytest.raises(RecipeError, match="R18"):
        desk.plan("prompt.system=Summarise.")
    with pytest.raises(RecipeError, match="R13"):
        desk.plan("model.architecture=bert")
    desk.plan("model.architecture=llama", "prompt.system=Summarise.")
