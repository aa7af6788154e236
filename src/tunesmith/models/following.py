"""How likely texts follow others: of each pair of prompt and continuation, the logarithm of its probability.

A row is computed alone and without padding, so that its figures do not depend on its neighbours.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from tunesmith.core.errors import ModelError
from tunesmith.models.language import LanguageModel, prompt_ids

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

Pair = tuple[list[int], list[int]]
"""Token ids of a prompt and of what may follow it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What a model thinks of one continuation.

    `logprob` in nats, summed over its tokens; `greedy`: each of them is the likeliest there; `cut`: how many
    tokens at the start of the prompt were left out because the model's context has no room for them.
    """

    logprob: float
    greedy: bool
    cut: int


def pair(tokenizer: Tokenizer, prompt: str, continuation: str) -> Pair:
    """The ids of a text, divided where its continuation begins.

    Space at the end of the prompt goes to the continuation, whose first token it usually is a part of.
    """
    stripped = prompt.rstrip()
    before, whole = (prompt_ids(tokenizer, text) for text in (stripped, prompt + continuation))
    if len(whole) > len(before):
        return whole[: len(before)], whole[len(before) :]
    # The last character of the prompt and the continuation are one token.
    return before, list(tokenizer.encode(continuation, add_special_tokens=False).ids)


@torch.inference_mode()
def followed(model: LanguageModel, pairs: Sequence[Pair]) -> list[Followed]:
    """Each continuation; those whose tokens but the last are read in the same way are read once.

    Raises:
        ModelError: M12 when a continuation alone is longer than the context; M80 when nothing is before it.
    """
    found: list[Followed] = []
    seen: list[int] = []
    logits: Tensor | None = None
    for prompt, continuation in pairs:
        read = [*prompt, *continuation][:-1]
        if len(continuation) > model.context:
            raise ModelError("M12", name=model.name, tokens=len(continuation), context=model.context)
        if not prompt:
            raise ModelError("M80", name=model.name)
        cut = max(0, len(read) - model.context)
        if logits is None or read != seen or len(logits) < len(continuation):
            seen, logits = read, _logits(model, read[cut:], len(continuation))
        found.append(_judged(logits[len(logits) - len(continuation) :], continuation, cut))
    return found


def _judged(logits: Tensor, ids: Sequence[int], cut: int) -> Followed:
    """`logits` are [ids, vocabulary]."""
    wanted = torch.tensor(list(ids), device=logits.device)
    chosen = logits.float().log_softmax(-1).gather(-1, wanted[:, None])
    greedy = bool((logits.argmax(-1) == wanted).all())
    return Followed(logprob=float(chosen.sum()), greedy=greedy, cut=cut)


def _logits(model: LanguageModel, ids: Sequence[int], last: int) -> Tensor:
    """Of what follows each of the `last` ids, [last, vocabulary]."""
    module = cast("PreTrainedModel", model.module)
    accepted = inspect.signature(module.forward).parameters
    options = {"logits_to_keep": last} if "logits_to_keep" in accepted else {}
    row = torch.tensor([list(ids)], device=module.device)
    logits: Tensor = module(input_ids=row, **options).logits[0]
    return logits[-last:]
