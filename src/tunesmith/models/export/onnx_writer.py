"""A model with its head as one ONNX graph: token ids in, what the model says of them out.

Texts and tokens are axes of any length. Padding stands on the right; a decoder does not see it and takes no
mask. Decoders keep nothing between runs: each reads the whole text.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from tunesmith.core.errors import MissingError, ModelError
from tunesmith.models import own
from tunesmith.models.classifier import TextClassifier
from tunesmith.models.embedder import TextEmbedder, unit
from tunesmith.models.export.refusal import because
from tunesmith.models.heads import Headed
from tunesmith.models.language import LanguageModel
from tunesmith.models.reader import TextReader
from tunesmith.models.scorer import TextScorer
from tunesmith.models.tagger import TextTagger

if TYPE_CHECKING:
    from tunesmith.models.export.certificate import Exported

FILE = "model.onnx"
IDS, MASK = "input_ids", "attention_mask"
"""The inputs, int64 [texts, tokens]; the mask is 1 on real tokens."""

# On this batch the computation is followed; neither axis may be 0 or 1, which are followed differently.
_TEXTS, _TOKENS = 2, 7


def write(model: Exported, path: Path) -> None:
    """Write the graph of a model, with what is needed to use it in its metadata, to `path`.

    Raises:
        MissingError: M03 without the packages that write and run graphs.
        ModelError: M78 when no graph can be made of the model.
    """
    require()
    if type(model) not in _SAYS:
        raise ModelError("M78", name=model.name, reason=because("of_kind", model.kind))
    program = _followed(model)
    for node in program.model.graph.all_nodes():
        # Where in whose source a node comes from: as large as a small model, and nobody else's business.
        node.metadata_props.clear()
    program.model.metadata_props.update(_facts(model))
    program.save(path)


def require() -> None:
    """Whether what the extra `onnx` brings is here.

    Raises:
        MissingError: M03 when it is not.
    """
    for package in ("onnx", "onnxscript", "onnxruntime"):
        if find_spec(package) is None:
            raise MissingError("M03", name="ONNX", package=package, extra="onnx")


def _followed(model: Any) -> Any:
    """The program that `torch` finds in a model."""
    said, says = _SAYS[type(model)]
    graph = _Graph(model.module, partial(says, **_units(model))).eval()
    names = inputs(model)
    context = min(model.context, getattr(graph.config, "max_position_embeddings", None) or model.context)
    axes = {0: torch.export.Dim("texts"), 1: torch.export.Dim("tokens", max=context)}
    ids = torch.zeros((_TEXTS, min(_TOKENS, context)), dtype=torch.long)
    given = (ids, torch.ones_like(ids))[: len(names)]
    try:
        with _quiet(), torch.no_grad():
            return torch.onnx.export(
                graph, given, dynamo=True, input_names=names, output_names=[said],
                dynamic_shapes=[axes for _ in names], verbose=False,
            )  # fmt: skip
    except torch.onnx.OnnxExporterError as error:
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        raise ModelError("M78", name=model.name, reason=reason) from error


def inputs(model: Any) -> list[str]:
    """What the graph of a model takes: ids only where a mask is not needed, or not known to the module."""
    inner = backbone(model.module)
    knows_mask = not isinstance(inner, own.OwnModel) or inner.takes_mask
    return [IDS, MASK] if knows_mask and not isinstance(model, LanguageModel) else [IDS]


def backbone(module: nn.Module) -> Any:
    """A module without its head, if it is one of ours that has one."""
    return module.encoder if isinstance(module, Headed) else module


class _Graph(nn.Module):
    """What is computed of ids and a mask; without a mask all tokens are real."""

    def __init__(self, module: nn.Module, says: Callable[..., Tensor]) -> None:
        super().__init__()
        self.module = module
        self.says = says
        self.config: Any = backbone(module).config

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        said: Tensor = self.says(self.module, ids, mask)
        return said


def _units(model: Any) -> dict[str, Any]:
    """What a scorer keeps in tensors and is the same for every text."""
    if not isinstance(model, TextScorer):
        return {}
    scorer = model.module
    return {"last": bool(scorer.units[0]), "mean": scorer.mean, "spread": scorer.spread}


def _states(encoder: Any, ids: Tensor, mask: Tensor | None) -> Tensor:
    states: Tensor = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
    return states


def _mean(states: Tensor, mask: Tensor | None) -> Tensor:
    """The mean of the states [texts, tokens, d] of real tokens: [texts, d]."""
    if mask is None:
        return states.mean(1)
    weight = mask.to(states.dtype)[..., None]
    return (states * weight).sum(1) / weight.sum(1)


def _last(states: Tensor, mask: Tensor | None) -> Tensor:
    """The states [texts, tokens, d] of the last real tokens: [texts, d]."""
    if mask is None:
        return states[:, -1]
    place = (mask.sum(1) - 1)[:, None, None].expand(-1, 1, states.shape[-1])
    return states.gather(1, place)[:, 0]


def _next(module: Any, ids: Tensor, _: Tensor | None) -> Tensor:
    logits: Tensor = module(input_ids=ids, use_cache=False).logits
    return logits


def _of_text(module: Any, ids: Tensor, mask: Tensor | None) -> Tensor:
    logits: Tensor = module.logits(_mean(_states(module.encoder, ids, mask), mask))
    return logits


def _of_tokens(module: Any, ids: Tensor, mask: Tensor | None) -> Tensor:
    logits: Tensor = module.logits(_states(module.encoder, ids, mask))
    return logits


def _vector(module: Any, ids: Tensor, mask: Tensor | None) -> Tensor:
    return unit(_mean(_states(module, ids, mask), mask))


def _score(
    module: Any, ids: Tensor, mask: Tensor | None, *, last: bool, mean: float, spread: float
) -> Tensor:
    pooled = (_last if last else _mean)(_states(module.encoder, ids, mask), mask)
    scores: Tensor = module.logits(pooled).squeeze(-1) * spread + mean
    return scores


_SAYS: Mapping[type, tuple[str, Callable[..., Tensor]]] = {
    LanguageModel: ("logits", _next),  # [texts, tokens, vocabulary]
    TextClassifier: ("logits", _of_text),  # [texts, labels]
    TextTagger: ("logits", _of_tokens),  # [texts, tokens, tags]
    TextReader: ("logits", _of_tokens),  # [texts, tokens, beginning and end]
    TextEmbedder: ("sentence_embedding", _vector),  # [texts, d], of length 1
    TextScorer: ("score", _score),  # [texts], in the units of the data
}


def _facts(model: Any) -> dict[str, str]:
    """What whoever runs a graph has to know, as texts or JSON."""
    found = {"kind": model.kind, "context": model.context, "digest": model.digest}
    if isinstance(model, LanguageModel):
        found["stop_ids"] = list(model.contract.stop_ids)
    if hasattr(model, "labels"):
        found["labels"] = list(model.labels)
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in found.items()}


@contextmanager
def _quiet() -> Iterator[None]:
    """`torch` tells at length of operators of packages that are not here."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
