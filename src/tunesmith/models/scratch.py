"""A model made from nothing, by size, with a tokenizer trained on the user's texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch
import transformers
from torch import nn

from tunesmith.core.recipe import Made, Own, Scratch
from tunesmith.models import own, reference
from tunesmith.models import tokenizer as tokenizers
from tunesmith.models.contract import TEMPLATES, PromptContract
from tunesmith.models.families import FAMILIES

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
    return _of_family(size, tokenizer.get_vocab_size(), ids, seed), tokenizer


def _of_family(size: Scratch, vocab: int, ids: dict[str, int], seed: int) -> nn.Module:
    family = FAMILIES[size.architecture]
    settings = family.settings(size, vocab) | ids
    if family.kind == "encoder_decoder":
        settings["decoder_start_token_id"] = ids["bos_token_id"]
    home = reference if hasattr(reference, family.model) else transformers
    torch.manual_seed(seed)
    made: nn.Module = getattr(home, family.model)(getattr(home, family.config)(**settings), **family.options)
    return made


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
