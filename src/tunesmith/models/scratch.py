"""A model made from nothing, by size, with a tokenizer trained on the user's texts or taken from a model."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from tunesmith.core.recipe import Made, Own, Scratch
from tunesmith.models import borrowed, library, own, reference
from tunesmith.models import tokenizer as tokenizers
from tunesmith.models.contract import TEMPLATES, PromptContract
from tunesmith.models.families import FAMILIES
from tunesmith.models.language import contract_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def make(size: Made, texts: Iterable[str], *, seed: int) -> tuple[nn.Module, Tokenizer]:
    """A random model of the given size and its tokenizer; the same seed gives the same bytes.

    Raises:
        ModelError: M05 or M87 when the tokenizer that it shall have cannot be used.
    """
    if borrowed.is_borrowed(size):
        tokenizer, ids = borrowed.taken(Path(size.tokenizer), frames=_kind(size) == "encoder_decoder")
    else:
        tokenizer = tokenizers.train(texts, vocab=size.vocab, kind=size.tokenizer)
        ids = {role: _id(tokenizer, token) for role, token in tokenizers.ROLES.items()}
    special = {f"{role}_id": number for role, number in ids.items()}
    vocab = 1 + max(tokenizer.get_vocab().values())
    if isinstance(size, Own):
        return own.make(size, vocab=vocab, ids=special, seed=seed), tokenizer
    return _of_family(size, vocab, special, seed), tokenizer


def _kind(size: Made) -> str | None:
    return FAMILIES[size.architecture].kind if isinstance(size, Scratch) else None


def _of_family(size: Scratch, vocab: int, ids: dict[str, int], seed: int) -> nn.Module:
    family = FAMILIES[size.architecture]
    settings = family.settings(size, vocab) | ids
    if family.kind == "encoder_decoder":
        settings["decoder_start_token_id"] = ids["bos_token_id"]
    transformers = library.transformers()
    home = reference if hasattr(reference, family.model) else transformers
    torch.manual_seed(seed)
    made: nn.Module = getattr(home, family.model)(getattr(home, family.config)(**settings), **family.options)
    return made


def contract_for(size: Made, tokenizer: Tokenizer) -> PromptContract:
    """The prompt contract of a model that was made here, or of the model that its tokenizer is from."""
    is_borrowed = borrowed.is_borrowed(size)
    return contract_of(Path(size.tokenizer), tokenizer) if is_borrowed else contract(tokenizer)


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
