"""The attention of any model of ours to a text, whatever it was made for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tunesmith.core.errors import ModelError
from tunesmith.models.attention import (
    Attention,
    EncoderDecoderAttention,
    EncoderDecoderMaps,
    attention_maps,
    pieces,
)
from tunesmith.models.encoding import encode, truncate
from tunesmith.models.heads import Headed

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import nn

    from tunesmith.models.loading import Model


def attention_of(model: Model, text: str, *, most: int) -> tuple[Attention | EncoderDecoderAttention, bool]:
    """What a model looks at in the beginning of `text`, at most `most` tokens, and whether that is not all.

    Raises:
        ModelError: M44 when the model has no attention, or shows no maps of it.
    """
    tokenizer: Tokenizer | None = getattr(model, "tokenizer", None)
    if tokenizer is None:
        raise ModelError("M44", model=type(model).__name__)
    shown = beginning(tokenizer, text, most)
    found = _attention(model, shown, tokenizer)
    if isinstance(found, EncoderDecoderAttention):
        found = _shortened(found, most)
    return found, shown != text


def encoder_attention(encoder: nn.Module, tokenizer: Tokenizer, text: str, context: int) -> Attention:
    """The tokens of `text`, cut to the context, and how much each looks at each.

    The maps are [layers, heads, query, key]; rows sum to 1.

    Raises:
        ModelError: M44 when the model shows no maps.
    """
    encoded = encode(tokenizer, [text])[0]
    ids, cut = truncate(encoded, context)
    tokens = pieces(tokenizer.encode(text), text)
    if cut:
        tokens = tokens[: len(ids) - encoded.framed] + tokens[-1:] * encoded.framed
    return Attention(tokens=tuple(tokens), maps=attention_maps(encoder, ids))


def beginning(tokenizer: Tokenizer, text: str, most: int) -> str:
    """The beginning of a text that is at most `most` tokens, those included that frame it."""
    encoded = tokenizer.encode(text)
    if len(encoded.ids) <= most:
        return text
    framing = sum(encoded.special_tokens_mask)
    own = [
        end
        for (_, end), framed in zip(encoded.offsets, encoded.special_tokens_mask, strict=True)
        if not framed
    ]
    return text[: own[max(1, most - framing) - 1]]


def _attention(model: Any, text: str, tokenizer: Tokenizer) -> Attention | EncoderDecoderAttention:
    if hasattr(model, "attention"):
        found: Attention | EncoderDecoderAttention = model.attention(text)
        return found
    inner = model.module.encoder if isinstance(model.module, Headed) else model.module
    return encoder_attention(getattr(inner, "base_model", inner), tokenizer, text, model.context)


def _shortened(found: EncoderDecoderAttention, most: int) -> EncoderDecoderAttention:
    """With the beginning of what was written: no token of it looks at a later one."""
    maps = EncoderDecoderMaps(
        encoder=found.maps.encoder,
        decoder=found.maps.decoder[..., :most, :most],
        cross=found.maps.cross[..., :most, :],
    )
    return replace(found, target=found.target[:most], maps=maps)
