"""A model of ours as EleutherAI's lm-evaluation-harness asks it; imported only where that is installed.

Texts are framed as the tokenizer frames them, which is what its backend for transformers does, and its client
`local-completions` with `add_bos_token=True`; so are whole texts, although a prefix stands before them.
Likelihoods are those that a server of ours tells that client: the same function computes them, row by row, on
the last tokens that leave room for one more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, cast

from lm_eval.api.model import TemplateLM
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window
from transformers import PreTrainedModel

from tunesmith.models.language import LanguageModel, prompt_ids
from tunesmith.models.likelihood import read
from tunesmith.models.writing import written

_MAX_NEW_TOKENS = 256
Scored = tuple[float, bool]
"""The log-likelihood of a continuation in nats, and whether each of its tokens is the likeliest."""


class HarnessModel(TemplateLM):  # type: ignore[misc]
    """A language model in memory."""

    def __init__(self, model: LanguageModel) -> None:
        super().__init__()
        self._model = model

    @property
    def eot_token_id(self) -> int:
        """What ends a text."""
        return self._special(self._model.contract.eos)

    @property
    def prefix_token_id(self) -> int:
        """What stands before a text that follows nothing."""
        contract = self._model.contract
        return self._special(contract.bos or contract.eos)

    @property
    def tokenizer_name(self) -> str:
        """Which template and tokenizer made the prompts."""
        return self._model.contract.digest

    def _special(self, token: str) -> int:
        found = self._model.tokenizer.token_to_id(token) if token else None
        return self._model.contract.pad_id if found is None else found

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **_: Any) -> list[int]:
        """Token ids, framed unless told otherwise or framed already."""
        bos = self._model.contract.bos
        is_framed = bool(bos) and string.startswith(bos)
        if add_special_tokens is False or is_framed:
            return list(self._model.tokenizer.encode(string, add_special_tokens=False).ids)
        return prompt_ids(self._model.tokenizer, string)

    def apply_chat_template(
        self, chat_history: Sequence[Mapping[str, str]], add_generation_prompt: bool = True
    ) -> str:
        """A conversation as the model's own template writes it."""
        return self._model.contract.render(chat_history, answer=add_generation_prompt)

    def chat_template(self, chat_template: bool | str = False) -> str | None:
        """The template, if one is wanted."""
        return self._model.contract.template if chat_template else None

    def _loglikelihood_tokens(
        self, requests: Sequence[tuple[Any, list[int], list[int]]], **_: Any
    ) -> list[Scored]:
        return [self._scored(context, continuation) for _, context, continuation in requests]

    def _scored(self, context: list[int], continuation: list[int]) -> Scored:
        ids = [*context, *continuation][-(self._model.context - 1) :]
        told = read(cast("PreTrainedModel", self._model.module), ids, 1)
        told = told[max(0, len(told) - len(continuation)) :]
        return sum(one.logprob for one in told), all(one.logprob == one.top[0][1] for one in told)

    def loglikelihood_rolling(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[float]:
        """The log-likelihood of whole texts, in windows as long as the context allows."""
        return [self._rolling(string) for (string,) in (request.args for request in requests)]

    def _rolling(self, string: str) -> float:
        windows = get_rolling_token_windows(
            token_list=self.tok_encode(string),
            prefix_token=self.prefix_token_id,
            max_seq_len=self._model.context - 2,
            context_len=1,
        )
        pairs = [make_disjoint_window(window) for window in windows]
        return sum(score for score, _ in self._loglikelihood_tokens([(None, *pair) for pair in pairs]))

    def generate_until(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[str]:
        """What the model writes, those that are asked for in the same way together."""
        numbered = sorted(enumerate(request.args for request in requests), key=lambda item: repr(item[1][1]))
        texts: dict[int, str] = {}
        for _, group in groupby(numbered, key=lambda item: item[1][1]):
            items = list(group)
            answers = self._written([args[0] for _, args in items], items[0][1][1])
            texts |= zip((number for number, _ in items), answers, strict=True)
        return [texts[number] for number in range(len(requests))]

    def _written(self, contexts: Sequence[str], wishes: Mapping[str, Any]) -> Iterable[str]:
        until = wishes.get("until") or ()
        stop = [until] if isinstance(until, str) else list(until)
        settings = {
            "max_new_tokens": wishes.get("max_gen_toks", _MAX_NEW_TOKENS),
            "temperature": wishes.get("temperature", 0.0) if wishes.get("do_sample", False) else 0.0,
            "top_p": wishes.get("top_p", 1.0),
            "seed": 0,
        }
        ids = [self.tok_encode(context) for context in contexts]
        return (each.text for each in written(self._model, ids, stop=stop, **settings))
