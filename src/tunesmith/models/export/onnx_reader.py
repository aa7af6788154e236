"""An ONNX graph in the place of the module it was made of, so that all else reads both alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import onnxruntime
import torch
from torch import Tensor, nn

from tunesmith.core.errors import ModelError
from tunesmith.models import own
from tunesmith.models.classifier import TextClassifier, means
from tunesmith.models.export import onnx_writer
from tunesmith.models.export.onnx_writer import IDS, MASK

_ERRORS_ONLY = 3


@dataclass(frozen=True, slots=True)
class Said:
    """What a graph says, under either name by which it may be asked for."""

    last_hidden_state: Tensor
    logits: Tensor


class Graph(nn.Module):
    """A graph as encoder and head at once: its states are what the head said, and its head changes nothing.

    Raises:
        ModelError: M79 when onnxruntime cannot read or run it.
    """

    device = torch.device("cpu")
    mean, spread = 0.0, 1.0
    _is_stateful = False

    def __init__(self, path: Path, config: Any) -> None:
        super().__init__()
        self.config = config
        self._path = path
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _ERRORS_ONLY
        options.intra_op_num_threads = torch.get_num_threads()
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
        except Exception as error:
            raise _unusable(path, error) from error
        self._takes_mask = MASK in [given.name for given in self._session.get_inputs()]

    @property
    def encoder(self) -> Graph:
        """Itself."""
        return self

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, **_: Any) -> Any:
        """What is said of input_ids [texts, tokens]."""
        said = self.said(input_ids, attention_mask)
        return Said(said, said)

    def said(self, ids: Tensor, mask: Tensor | None) -> Tensor:
        """The output [texts, tokens, n] for ids, mask [texts, tokens].

        What is said of a whole text stands at each of its tokens, of which it is the mean.
        """
        if self._takes_mask:
            return self._run(ids, {MASK: torch.ones_like(ids) if mask is None else mask})
        if mask is None or bool(mask.all()):
            return self._run(ids, {})
        return own.by_length(lambda part: self._run(part, {}), ids, mask.sum(1))

    def _run(self, ids: Tensor, more: dict[str, Tensor]) -> Tensor:
        given = {name: value.numpy() for name, value in {IDS: ids, **more}.items()}
        try:
            found = torch.from_numpy(self._session.run(None, given)[0])
        except Exception as error:
            raise _unusable(self._path, error) from error
        return found if found.ndim == 3 else found.reshape(len(ids), 1, -1).expand(-1, ids.shape[1], -1)

    def logits(self, states: Tensor) -> Tensor:
        """The states."""
        return states

    def scores(self, hidden: Tensor, lengths: Sequence[int]) -> Tensor:
        """The number of each text, which stands at all its tokens."""
        return means(hidden, lengths)[:, 0]


class Labels(Graph):
    """A classifier's graph, whose answer is its logits."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, **_: Any) -> Any:
        """Logits [texts, labels]."""
        return self.said(input_ids, attention_mask)[:, 0]


def read(model: Any, path: Path) -> Any:
    """The model, computed by the graph at `path`."""
    kind = Labels if isinstance(model, TextClassifier) else Graph
    return replace(model, module=kind(path, onnx_writer.backbone(model.module).config).eval())


def _unusable(path: Path, error: Exception) -> ModelError:
    return ModelError("M79", file=path.name, reason=str(error).strip().splitlines()[0])
