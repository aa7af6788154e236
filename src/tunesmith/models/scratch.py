"""A model made from nothing, by size, with a tokenizer trained on the user's texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from transformers import BertConfig, BertModel, LlamaConfig, LlamaForCausalLM

from tunesmith.core.recipe import Made, Own
from tunesmith.models import own
from tunesmith.models import tokenizer as tokenizers
from tunesmith.models.contract import TEMPLATES, PromptContract
from tunesmith.models.reference import (
    DecoderConfig,
    EncoderConfig,
    EncoderDecoderConfig,
    ReferenceEncoder,
    ReferenceForCausalLM,
    ReferenceForSeq2SeqLM,
)

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def make(size: Made, texts: Iterable[str], *, seed: int) -> tuple[nn.Module, Tokenizer]:
    """A random model of the given size and its tokenizer; the same seed gives the same bytes."""
    tokenizer = tokenizers.train(texts, vocab=size.vocab, kind=size.tokenizer)
    ids = {
        f"{name}_token_id": _id(tokenizer, token)
        for name, token in (("pad", tokenizers.PAD), ("bos", tokenizers.BOS), ("eos", tokenizers.EOS))
    }
    if isinstance(size, Own):
        return own.make(size, vocab=tokenizer.get_vocab_size(), ids=ids, seed=seed), tokenizer
    shape: dict[str, Any] = {
        "vocab_size": tokenizer.get_vocab_size(),
        "hidden_size": size.hidden,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "max_position_embeddings": size.context,
        **ids,
    }
    torch.manual_seed(seed)
    if size.architecture == "llama":
        # Two thirds of four times the width, as Llama has it, in steps of 32 that suit the matrix kernels.
        inner = -(-size.hidden * 8 // 3 // 32) * 32
        module: nn.Module = LlamaForCausalLM(
            LlamaConfig(**shape, intermediate_size=inner, tie_word_embeddings=True)
        )
    elif size.architecture == "transformer":
        start = ids["bos_token_id"]
        module = ReferenceForSeq2SeqLM(EncoderDecoderConfig(**shape, decoder_start_token_id=start))
    elif size.architecture == "transformer_decoder":
        module = ReferenceForCausalLM(DecoderConfig(**shape))
    elif size.architecture == "transformer_encoder":
        module = ReferenceEncoder(EncoderConfig(**shape))
    else:
        module = BertModel(BertConfig(**shape, intermediate_size=size.hidden * 4), add_pooling_layer=False)
    return module, tokenizer


def contract(tokenizer: Tokenizer) -> PromptContract:
    """The prompt contract of a model whose tokenizer was trained here."""
    stop = (tokenizers.TURN_END, tokenizers.EOS)
    return PromptContract(
        template=TEMPLATES["chatml"],
        bos=tokenizers.BOS,
        eos=tokenizers.EOS,
        stop=stop,
        stop_ids=tuple(sorted(_id(tokenizer, token) for token in stop)),
        pad_id=_id(tokenizer, tokenizers.PAD),
    )


def _id(tokenizer: Tokenizer, token: str) -> int:
    """The id of a special token, which every tokenizer trained here has."""
    return int(tokenizer.token_to_id(token))  # type: ignore[arg-type]
