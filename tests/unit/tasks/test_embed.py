"""Embedding: pairs become examples, a source is taught its own target, and what is saved answers the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from tunesmith.models import loading
from tunesmith.models.backbone import Generic
from tunesmith.models.embedder import TextEmbedder
from tunesmith.models.resolve import Resolved
from tunesmith.tasks.embed import Embed, parts_of
from tunesmith.tasks.task import Learner
from tunesmith.train import comparing
from tunesmith.train.losses import multiple_negatives

TASK = Embed()
ROWS = pl.DataFrame(
    {
        "_row": [1, 2, 5],
        "source": ["Where is my parcel?", "快递三天没动了", "late"],
        "target": ["The parcel is late.", "什么时候能到？" * 9, "The parcel is late."],
    }
)


def test_the_texts_of_a_row_lie_one_after_the_other_each_cut_to_the_context(
    build: Callable[..., Learner],
) -> None:
    learner = build(TASK, "bert", context=16)
    examples, cut = TASK.encode(ROWS, learner)
    whole = len(learner.tokenizer.encode(ROWS["target"][1]).ids)
    assert cut == {2: whole - 16}
    for example, source in zip(examples, ROWS["source"], strict=True):
        first, second = parts_of(example, 2)
        assert first.tolist() == learner.tokenizer.encode(source).ids
        assert len(second) <= 16


def test_a_target_that_is_as_right_is_no_wrong_answer(build: Callable[..., Learner]) -> None:
    examples = TASK.encode(ROWS, build(TASK, "bert"))[0]
    seen: list[torch.Tensor] = []

    def loss(similarity: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        seen.append(similarity)
        return multiple_negatives(similarity, target)

    vectors = torch.nn.functional.normalize(torch.randn(3, 2, 8), dim=-1)
    assert torch.isfinite(TASK.compare(vectors, examples, loss))
    # The first and the third row have the same target.
    left_out = torch.isinf(seen[0])
    assert left_out.nonzero().tolist() == [[0, 2], [2, 0]]


def test_the_gradient_does_not_depend_on_the_parts(build: Callable[..., Learner]) -> None:
    learner = build(TASK, "bert")
    learner.module.eval()
    backbone = Generic(learner.backbone, speaks=False)
    rows = TASK.encode(ROWS, learner)[0]
    found = {}
    for parts in ([rows], [rows[:1], rows[1:]]):
        learner.module.zero_grad()
        mean = comparing.backward(TASK, backbone, parts, multiple_negatives, 3.0, torch.manual_seed)
        found[len(parts)] = mean, [p.grad.clone() for p in learner.module.parameters() if p.grad is not None]
    assert found[1][0] == pytest.approx(found[2][0], rel=1e-5)
    assert found[1][1]
    for one, other in zip(found[1][1], found[2][1], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def test_parts_are_computed_again_under_the_same_dropout(build: Callable[..., Learner]) -> None:
    learner = build(TASK, "bert")
    learner.module.train()
    rows = TASK.encode(ROWS, learner)[0]
    seen: dict[int, list[torch.Tensor]] = {}

    class Seen(Generic):
        def hidden(self, rows: object, at: torch.Tensor | None = None) -> torch.Tensor:
            states = super().hidden(rows, at)  # type: ignore[arg-type]
            seen.setdefault(len(states), []).append(states.detach())
            return states

    backbone = Seen(learner.backbone, speaks=False)
    loss = partial(multiple_negatives, scale=5.0)
    comparing.backward(TASK, backbone, [rows[:1], rows[1:]], loss, 3.0, torch.manual_seed)
    assert sorted(map(len, seen.values())) == [2, 2]
    assert all(torch.equal(first, second) for first, second in seen.values())


def test_what_is_saved_gives_the_vectors_of_what_was_trained(
    build: Callable[..., Learner], tmp_path: Path
) -> None:
    learner = build(TASK, "bert")
    vectors = TASK.measure(learner, TASK.encode(ROWS, learner)[0])["vectors"]
    TASK.save(learner, tmp_path)
    model = loading.load(Resolved(name="own", folder=tmp_path))
    assert isinstance(model, TextEmbedder)
    found = model.embed(ROWS["source"].to_list())
    np.testing.assert_allclose(found, vectors[:, 0], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert model.embed([]).shape == (0, 32)
