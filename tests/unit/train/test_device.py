"""All that a step makes lies on the device of the model: tried on one that holds no numbers."""

from __future__ import annotations

import pytest
import torch

from tunesmith.core import components
from tunesmith.models import device
from tunesmith.models.backbone import Generic


class Embeddings(Generic):
    """A model without blocks: those of transformers ask for the values of a mask."""

    def _states(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        assert mask.device == ids.device
        states: torch.Tensor = self._model.get_input_embeddings()(ids)
        return states


@pytest.mark.parametrize(
    ("name", "loss"),
    [("classify", "cross_entropy"), ("chat", "cross_entropy"), ("embed", "multiple_negatives")],
)
def test_loss_and_gradients_are_where_the_model_is(
    name: str, loss: str, request: pytest.FixtureRequest
) -> None:
    work = request.getfixturevalue(name)
    learner = work.build()
    with torch.device("meta"):
        learner.module.to("meta")
        backbone = Embeddings(learner.backbone, speaks=learner.card.kind == "language")
        found = work.task.objective(learner, backbone, work.examples[:4], components.losses.get(loss))
        found.backward()
    assert found.device.type == "meta"
    learned = [p for p in learner.module.parameters() if p.grad is not None]
    assert learned
    assert all(parameter.grad.device.type == "meta" for parameter in learned)


def test_without_a_graphics_processor_nothing_changes() -> None:
    device.take()
    assert torch.get_default_device().type == ("cuda" if torch.cuda.is_available() else "cpu")
