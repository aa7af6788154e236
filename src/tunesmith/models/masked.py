"""Encoders with the head that says hidden tokens: read from a folder, or put on an encoder without one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForMaskedLM

from tunesmith.core.errors import ModelError
from tunesmith.models.backbone import Head
from tunesmith.models.json_file import read_json

# The parts of the head of a model type, in the order in which hidden states go through them.
_HEADS: Mapping[str, tuple[str, ...]] = {
    "albert": ("predictions",),
    "bert": ("cls",),
    "camembert": ("lm_head",),
    "distilbert": ("vocab_transform", "activation", "vocab_layer_norm", "vocab_projector"),
    "electra": ("generator_predictions", "generator_lm_head"),
    "ernie": ("cls",),
    "modernbert": ("head", "decoder"),
    "mpnet": ("lm_head",),
    "roberta": ("lm_head",),
    "xlm-roberta": ("lm_head",),
}
_WITH_HEAD = ("ForMaskedLM", "BertForPreTraining")


def has_head(folder: Path) -> bool:
    """Whether a folder holds a head beside its encoder."""
    names = read_json(folder / "config.json").get("architectures") or []
    return any(str(name).endswith(_WITH_HEAD) for name in names)


def begin(encoder: nn.Module) -> nn.Module:
    """An encoder with a new head; the last matrix of that is the encoder's own embeddings.

    Raises:
        ModelError: T24 when there is no such head for its kind.
    """
    if str(getattr(encoder.config, "model_type", "")) not in _HEADS:
        raise _unknown(encoder)
    module: Any = AutoModelForMaskedLM.from_config(encoder.config)  # type: ignore[no-untyped-call]
    setattr(module, module.base_model_prefix, encoder)
    module.tie_weights()
    found: nn.Module = module
    return found


def fit(module: nn.Module, tokens: int) -> None:
    """See that there is an embedding for each of so many tokens."""
    made: Any = module
    if tokens > made.get_input_embeddings().num_embeddings:
        made.resize_token_embeddings(tokens, mean_resizing=False)


def head(module: nn.Module) -> Head:
    """From hidden states of the encoder to logits, in the numbers of the hidden states.

    Raises:
        ModelError: T24 when the head of its kind is not known here.
    """
    parts = _parts(module)

    def project(states: Tensor) -> Tensor:
        with torch.autocast(states.device.type, torch.bfloat16, enabled=states.dtype == torch.bfloat16):
            return reduce(lambda x, part: part(x), parts, states)

    parameters = dict.fromkeys(parameter for part in parts for parameter in part.parameters())
    return Head(project, tuple(parameters))


def _parts(module: nn.Module) -> list[nn.Module]:
    kind = str(getattr(module.config, "model_type", ""))
    if kind not in _HEADS:
        raise _unknown(module)
    return [module.get_submodule(name) for name in _HEADS[kind]]


def _unknown(module: nn.Module) -> ModelError:
    kind = str(getattr(module.config, "model_type", "") or type(module).__name__)
    return ModelError("T24", kind=kind, known=", ".join(sorted(_HEADS)))
