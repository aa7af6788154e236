"""Attention maps: how much each token looks at each other one, in every layer and head of a model.

Models of `transformers` give them when they compute attention step by step ("eager"), which is switched on
for the call; modules made of the reference's `MultiHeadAttention` when they are watched. Both change the
module for a moment: nobody else may use it meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from tunesmith.core.errors import ModelError
from tunesmith.models.own import code_of
from tunesmith.models.transformer import MultiHeadAttention

if TYPE_CHECKING:
    from tokenizers import Encoding


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderDecoderMaps:
    """Maps of an encoder-decoder, each [layers, heads, query, key], float32; rows sum to 1.

    `encoder` has the source for both, `decoder` the target; in `cross` the target looks at the source.
    """

    encoder: Tensor
    decoder: Tensor
    cross: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """The tokens of a text, as pieces of it, and their maps [layers, heads, query, key]."""

    tokens: tuple[str, ...]
    maps: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderDecoderAttention:
    """The tokens an encoder reads, those its decoder reads, and their maps."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    maps: EncoderDecoderMaps


@overload
def attention_maps(model: nn.Module, ids: Sequence[int]) -> Tensor: ...
@overload
def attention_maps(model: nn.Module, ids: Sequence[int], target: Sequence[int]) -> EncoderDecoderMaps: ...
def attention_maps(
    model: nn.Module, ids: Sequence[int], target: Sequence[int] | None = None
) -> Tensor | EncoderDecoderMaps:
    """How much each token of `ids` looks at each: [layers, heads, query, key], float32; rows sum to 1.

    An encoder-decoder is given the ids its decoder reads too, `target`, and has three kinds of maps.

    Raises:
        ModelError: M44 when the model has no attention, or gives no maps of it.
    """
    given = {"input_ids": torch.tensor([list(ids)])}
    if target is not None:
        given["decoder_input_ids"] = torch.tensor([list(target)])
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            found = _watched(model, given) or _eager(model, given)
    finally:
        model.train(was_training)
    names = ("encoder", "decoder", "cross") if target is not None else ("",)
    stacked = [_stack(model, found.get(name, ())) for name in names]
    return stacked[0] if target is None else EncoderDecoderMaps(**dict(zip(names, stacked, strict=True)))


def pieces(encoding: Encoding, text: str) -> list[str]:
    """The tokens of a text as pieces of it; what only frames it, under its own name."""
    rows = zip(encoding.tokens, encoding.offsets, encoding.special_tokens_mask, strict=True)
    return [name if framing else text[slice(*offsets)] or name for name, offsets, framing in rows]


def _stack(model: nn.Module, maps: Sequence[Tensor | None]) -> Tensor:
    """[1, heads, query, key] of each layer -> [layers, heads, query, key]."""
    whole = [each for each in maps if each is not None]
    if not whole or len(whole) < len(maps) or len({each.shape for each in whole}) > 1:
        code = code_of(model)
        raise ModelError("M44", model=code.target if code else type(model).__name__)
    return torch.cat(whole).float()


def _watched(model: nn.Module, given: dict[str, Tensor]) -> dict[str, list[Tensor]]:
    """The maps of the reference's attention in a model, by what looks at what; empty if it has none."""
    layers = {name: m for name, m in model.named_modules() if isinstance(m, MultiHeadAttention)}
    if not layers:
        return {}
    with _watching(list(layers.values())):
        model(**given)
        found: dict[str, list[Tensor]] = {}
        for name, layer in layers.items():
            kind = ""
            if "decoder_input_ids" in given:
                is_cross = name.endswith("cross_attention")
                kind = "cross" if is_cross else "decoder" if ".decoder." in name else "encoder"
            if layer.weights is not None:
                found.setdefault(kind, []).append(layer.weights)
    return found


@contextmanager
def _watching(layers: Sequence[MultiHeadAttention]) -> Iterator[None]:
    for layer in layers:
        layer.watched = True
    try:
        yield
    finally:
        for layer in layers:
            layer.watched, layer.weights = False, None


def _eager(model: nn.Module, given: dict[str, Tensor]) -> dict[str, Sequence[Tensor | None]]:
    """The maps that a model of `transformers` gives."""
    if not isinstance(model, PreTrainedModel):
        return {}
    usual = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        output: Any = model(**given, use_cache=False, output_attentions=True)
    finally:
        model.set_attn_implementation(usual)
    names = {"": "attentions", "encoder": "encoder_attentions", "decoder": "decoder_attentions"}
    names["cross"] = "cross_attentions"
    return {kind: getattr(output, name, None) or () for kind, name in names.items()}
