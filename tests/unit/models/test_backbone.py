"""Hidden states of rows without padding: what the model gives each row alone, in order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from tunesmith.core.recipe import Scratch
from tunesmith.models import scratch
from tunesmith.models.backbone import Generic

ROWS = [np.array([5, 6, 7, 8]), np.array([9]), np.array([10, 11])]


def model(architecture: str) -> Any:
    size = Scratch(architecture=architecture, hidden=32, layers=2, heads=2, vocab=400, context=64)  # type: ignore[arg-type]
    return scratch.make(size, ["some words to begin with"], seed=0)[0].eval()


@pytest.mark.parametrize(
    "architecture", ["llama", "gpt2", "transformer_decoder", "bert", "transformer_encoder"]
)
def test_each_row_is_computed_as_if_it_were_alone(architecture: str) -> None:
    made = model(architecture)
    speaks = made.get_output_embeddings() is not None and architecture != "bert"
    backbone = Generic(made if speaks else getattr(made, "base_model", made), speaks=speaks)
    with torch.inference_mode():
        together = backbone.hidden(ROWS)
        alone = torch.cat([backbone.hidden([row]) for row in ROWS])
        chosen = backbone.hidden(ROWS, torch.tensor([4, 0]))
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(chosen, together[[4, 0]])
    assert together.shape == (7, 32)


def test_the_head_makes_the_logits_of_the_model() -> None:
    made = model("llama")
    backbone = Generic(made, speaks=True)
    with torch.inference_mode():
        logits = made(input_ids=torch.from_numpy(ROWS[0])[None]).logits[0]
        torch.testing.assert_close(backbone.head.project(backbone.hidden(ROWS[:1])), logits)


def test_a_model_that_scales_its_logits_gives_them_itself() -> None:
    made = model("llama")
    made.config.logits_scaling = 2.0
    backbone = Generic(made, speaks=True)
    with torch.inference_mode():
        assert backbone.head.project(backbone.hidden(ROWS)).shape == (7, made.config.vocab_size)
    assert backbone.head.parameters == ()


def test_an_encoder_has_no_output_head() -> None:
    made = getattr(model("bert"), "base_model")  # noqa: B009
    with pytest.raises((TypeError, AttributeError, NotImplementedError)):
        _ = Generic(made, speaks=False).head


def test_bf16_is_computed_by_autocasting() -> None:
    made = model("llama")
    backbone = Generic(made, speaks=True, precision="bf16")
    with backbone.computing():
        logits = backbone.head.project(backbone.hidden(ROWS))
    assert logits.dtype == torch.bfloat16
    logits.float().sum().backward()
    assert {p.grad.dtype for p in made.parameters() if p.grad is not None} == {torch.float32}
