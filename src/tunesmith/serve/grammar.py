"""What an answer has to look like: JSON of a schema, or calls of tools. Held to token by token by llguidance.

Grammars come from clients: they are bounded in size and in the work they may cause, and refer to nothing
outside themselves (llguidance fetches no `$ref`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from llguidance import LLMatcher, LLParserLimits, LLTokenizer, TokenizerWrapper
from tokenizers import Tokenizer

from tunesmith.core.errors import TunesmithError, UsageError
from tunesmith.models.calls import CallForm
from tunesmith.models.token_bytes import TokenBytes

if TYPE_CHECKING:
    from torch import Tensor

MAX_SCHEMA = 2**16  # characters
# White space that a model may put between the parts of JSON; without a bound it could go on forever.
_OPTIONS: Any = {"whitespace_pattern": r"\x0A?\x20{0,8}"}
_LIMITS = LLParserLimits(
    initial_lexer_fuel=1_000_000, step_lexer_fuel=200_000, max_lexer_states=50_000, verbose_errors=False
)

# A character that grows together with no other.
_SENTINEL = "\x02"

logger = logging.getLogger(__name__)


class Compiled:
    """A grammar that was understood. Called, it gives the state of one sequence.

    `failed` becomes true when a sequence could not be held to it. `source` is what it was made from.
    """

    def __init__(self, matcher: LLMatcher, source: str) -> None:
        self._matcher = matcher
        self.source = source
        self.failed = False

    def __call__(self) -> _State:
        """A sequence's own state, at its beginning."""
        return _State(self, self._matcher.deep_copy())


class _State:
    """See `sampling.Grammar`. Never raises: it would take the batch of others down."""

    def __init__(self, grammar: Compiled, matcher: LLMatcher) -> None:
        self._grammar = grammar
        self._matcher = matcher

    def restrict(self, logits: Tensor) -> Tensor:
        import torch  # here are logits, so it is loaded; a server whose engines are elsewhere has none

        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        allowed = np.unpackbits(bits, count=len(logits), bitorder="little").astype(bool)
        return logits.masked_fill(~torch.from_numpy(allowed).to(logits.device), -torch.inf)

    def take(self, token: int) -> bool:
        self._matcher.consume_token(token)
        if self._matcher.is_error():
            logger.warning("a grammar gave up: %s", self._matcher.get_error().splitlines()[0])
            self._grammar.failed = True
        return self._matcher.is_stopped()


@lru_cache(maxsize=16)
def grammars_of(tokenizer: Tokenizer, vocabulary: int, ends: tuple[int, ...]) -> Grammars:
    """The grammars of a model; the first time takes a moment where the vocabulary is large.

    `vocabulary` counts the ids that it gives logits for, `ends` are those that end an answer.
    """
    wrapper = TokenizerWrapper(_Vocabulary(tokenizer, vocabulary, ends))
    return Grammars(LLTokenizer(wrapper, n_vocab=vocabulary, eos_token=list(ends) or [0]))


class Grammars:
    """What can be asked of the answers of a model."""

    def __init__(self, tokenizer: LLTokenizer) -> None:
        self._tokenizer = tokenizer

    def json(self, schema: Mapping[str, Any], field: str) -> Compiled:
        """JSON of a schema.

        Raises:
            UsageError: S38 naming `field` when the schema is not understood or takes too much work.
        """
        text = _text(schema, field)
        try:
            return self.compiled(LLMatcher.grammar_from_json_schema(text, overrides=_OPTIONS), field)
        except ValueError as error:  # nested too deep
            raise UsageError("S38", field=field, reason=str(error)[:200]) from error

    def calls(
        self, form: CallForm, tools: Mapping[str, Mapping[str, Any]], *, free: bool, several: bool
    ) -> Compiled:
        """Calls of tools, by name with the schemas of their arguments; with `free`, text before or instead.

        Raises:
            UsageError: S38 when a schema is not understood or takes too much work.
        """
        named = [
            f"{json.dumps(name + form.between)} %json {_text(_bounded(schema), 'tools')}"
            for name, schema in tools.items()
        ]
        trigger = form.before.split()[0]
        begin, middle, end = map(json.dumps, (form.before[len(trigger) :], form.middle, form.after))
        more = f"({middle} one)*" if several and form.middle else ""
        lines = ["%llguidance {}", f"calls: {begin} one {more} {end}", *_alternatives(named)]
        if free:
            lines += ["start: calling calls | TEXT", f"calling[lazy]: TEXT {json.dumps(trigger)}"]
            lines.append(r"TEXT: /(.|\n)*/")
        else:
            lines.append(f"start: {json.dumps(trigger)} calls")
        return self.compiled("\n".join(lines), "tools")

    def compiled(self, grammar: str, field: str) -> Compiled:
        """A grammar of llguidance.

        Raises:
            UsageError: S38 naming `field` when it is not understood or takes too much work.
        """
        matcher = LLMatcher(self._tokenizer, grammar, log_level=0, limits=_LIMITS)
        matcher.compute_bitmask()  # some grammars are too much only for the first mask
        if matcher.is_error():
            reason = matcher.get_error().splitlines()[0][:200]
            raise UsageError("S38", field=field, reason=reason)
        return Compiled(matcher, grammar)


def require_kept(grammar: Compiled | None) -> None:
    """Check that answers were held to their grammar.

    Raises:
        TunesmithError: S39 when one was not.
    """
    if grammar is not None and grammar.failed:
        raise TunesmithError("S39")


def _alternatives(named: Sequence[str]) -> list[str]:
    rules = [f"tool_{i}" for i in range(len(named))]
    return [
        "one: " + " | ".join(rules),
        *(f"{rule}: {body}" for rule, body in zip(rules, named, strict=True)),
    ]


def _bounded(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {**schema, "x-guidance": _OPTIONS}


def _text(schema: Mapping[str, Any], field: str) -> str:
    try:
        text = json.dumps(schema)
    except RecursionError as error:
        raise UsageError("S38", field=field, reason="it is nested too deep") from error
    if len(text) > MAX_SCHEMA:
        raise UsageError("S38", field=field, reason=f"it is longer than {MAX_SCHEMA} characters")
    return text


class _Vocabulary:
    """What llguidance asks of a tokenizer."""

    bos_token_id = None

    def __init__(self, tokenizer: Tokenizer, vocabulary: int, ends: Sequence[int]) -> None:
        words = TokenBytes(tokenizer)
        self._tokenizer = tokenizer
        self._sentinel = self._encode(_SENTINEL)
        self.tokens = [words(token) for token in range(vocabulary)]
        self.special_token_ids = sorted(words.special)
        self.eos_token_id = ends[0] if ends else 0

    def __call__(self, text: bytes | str) -> list[int]:
        """The tokens of a text in the middle of another: none of them stands for the beginning."""
        whole = text.decode(errors="replace") if isinstance(text, bytes) else text
        ids, before = self._encode(_SENTINEL + whole), self._sentinel
        return ids[len(before) :] if ids[: len(before)] == before else []

    def _encode(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)
