"""What a model does on rows, row by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from tunesmith.eval import metrics
from tunesmith.eval.outcome import TokenOutcome
from tunesmith.models import loading
from tunesmith.models.resolve import Resolved
from tunesmith.tasks.generate import Generate
from tunesmith.workflow import measuring

TALE = "Once upon a time there was a little girl who lived in a house near the sea with her dog. "


def test_the_pieces_of_a_long_text_are_one_row(shared_data: Path) -> None:
    folder = shared_data / "weights" / "stories260K-hf"
    model = loading.load(Resolved(name="stories", folder=folder))
    frame = pl.DataFrame({"_row": [7, 3], "text": [TALE * 4, "The end."]})
    found = measuring.outcome_of(Generate(), model, frame, 64)
    assert isinstance(found, TokenOutcome)
    assert list(found.rows) == [3, 7]
    assert found.tokens[1] > 64 > found.tokens[0]
    alone = [measuring.outcome_of(Generate(), model, frame[i : i + 1], 64) for i in (1, 0)]
    np.testing.assert_allclose(found.nll, [each.nll[0] for each in alone], rtol=1e-5)  # type: ignore[union-attr]
    assert metrics.measure(["perplexity"], found)["perplexity"] > 1
