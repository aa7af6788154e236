"""Prompts as vLLM is asked for them, and tokens out of what it says: ids all the way, no text.

The fields are those of its completions: https://docs.vllm.ai/en/latest/serving/openai_compatible_server
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith.core.errors import TunesmithError, UsageError
from tunesmith.models.token import Likelihood, Token
from tunesmith.serve.engine import Prompt

_FINISHES = ("stop", "length")


def asked(prompt: Prompt, model: str) -> dict[str, Any]:
    """A request for what continues a prompt.

    Raises:
        UsageError: S54 for what is not asked of vLLM: a grammar, and how likely a prompt is.
    """
    sampling = prompt.sampling
    if sampling.grammar is not None:
        raise UsageError("S54", what="response_format, tools")
    if prompt.read is not None:
        raise UsageError("S54", what="echo, logprobs of a prompt")
    return {
        "model": model,
        "prompt": list(prompt.ids),
        "max_tokens": sampling.max_new_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": sampling.seed,
        "stop_token_ids": list(sampling.stop_ids),
        "ignore_eos": True,  # the prompt contract says what ends an answer
        "logit_bias": {str(token): bias for token, bias in sampling.bias},
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "logprobs": sampling.logprobs,
        "return_token_ids": True,
        "return_tokens_as_token_ids": True,
        "stream": True,
    }


def tokens(said: Mapping[str, Any], top: int) -> Iterator[Token]:
    """The new tokens of one message, with up to `top` likelier ones each.

    Raises:
        TunesmithError: S05 when vLLM could not go on, or says what is not understood.
    """
    for choice in said.get("choices", ()):
        ids, finish = choice.get("token_ids") or [], choice.get("finish_reason")
        if finish is not None and (finish not in _FINISHES or not ids):
            raise TunesmithError("S05")
        likelihoods = _likelihoods(choice["logprobs"], top) if choice.get("logprobs") else [None] * len(ids)
        for place, (token, likelihood) in enumerate(zip(ids, likelihoods, strict=True), start=1):
            last = finish if place == len(ids) else None
            yield Token(handle=0, id=token, likelihood=likelihood, finish=last)
    if "error" in said:
        raise TunesmithError("S05")


def _likelihoods(said: Mapping[str, Any], top: int) -> list[Likelihood | None]:
    found: list[Likelihood | None] = []
    for logprob, others in zip(said["token_logprobs"], said["top_logprobs"], strict=True):
        known = [(int(token.removeprefix("token_id:")), value) for token, value in (others or {}).items()]
        best = sorted(known, key=lambda pair: -pair[1])[:top]
        found.append(Likelihood(logprob, tuple(best)))
    return found
