"""A tokenizer as GGUF has it: tokens, their kinds, and either merges or scores.

llama.cpp has two ways of its own to make tokens: over bytes, for which it must know the rule that cuts texts
into words by a name, and over characters with a fall-back to bytes, which joins the pair of best score first.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gguf import TokenType

from tunesmith.models.export.refusal import no_gguf

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_SPACE = "▁"
# Rules for words by which llama.cpp knows a tokenizer: a part of the rule that no other has, and its name.
_WORDS = (
    (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|", "qwen2"),
    (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|", "llama-bpe"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """`model` and `words` are llama.cpp's names of the method and of the rule for words, if it has one."""

    model: str
    words: str
    tokens: list[str]
    kinds: list[int]
    scores: list[float] | None = None
    merges: list[str] | None = None
    begins_with_space: bool = False


def of(tokenizer: Tokenizer, rows: int) -> Tokens:
    """The tokens of a BPE tokenizer, filled up to the `rows` of the embedding.

    Raises:
        ModelError: M76 when llama.cpp has no way to make these tokens.
    """
    content = json.loads(tokenizer.to_str())
    model = content["model"]
    if model["type"] != "BPE":
        raise no_gguf("of_tokenizer", model["type"])
    tokens, kinds = _listed(content, rows)
    if model.get("byte_fallback"):
        return _of_characters(content, tokens, kinds)
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    return Tokens(model="gpt2", words=_words(content), tokens=tokens, kinds=kinds, merges=merges)


def _listed(content: dict[str, Any], rows: int) -> tuple[list[str], list[int]]:
    """Every id's token and kind; ids that have none are unused."""
    tokens = [f"[unused{i}]" for i in range(rows)]
    kinds = [int(TokenType.UNUSED)] * rows
    for token, i in content["model"]["vocab"].items():
        is_byte = content["model"].get("byte_fallback") and len(token) == 6 and token.startswith("<0x")
        tokens[i], kinds[i] = token, int(TokenType.BYTE if is_byte else TokenType.NORMAL)
    for added in content["added_tokens"]:
        kind = TokenType.CONTROL if added["special"] else TokenType.USER_DEFINED
        tokens[added["id"]], kinds[added["id"]] = added["content"], int(kind)
    unknown = content["model"].get("unk_token")
    if unknown in tokens:
        kinds[tokens.index(unknown)] = int(TokenType.UNKNOWN)
    return tokens, kinds


def _of_characters(content: dict[str, Any], tokens: list[str], kinds: list[int]) -> Tokens:
    """Scores that join pairs in the order of the merges."""
    steps = _normalizers(content)
    begins = any(step["type"] == "Prepend" for step in steps)
    if content["pre_tokenizer"] is not None or {step["type"] for step in steps} - {"Prepend", "Replace"}:
        raise no_gguf("own_words")
    scores = [0.0] * len(tokens)
    at = {token: i for i, token in enumerate(tokens)}
    for rank, pair in enumerate(content["model"]["merges"]):
        joined = at["".join(pair if isinstance(pair, list) else pair.split(" "))]
        scores[joined] = scores[joined] or -1.0 - rank
    return Tokens(
        model="llama", words="default", tokens=tokens, kinds=kinds, scores=scores, begins_with_space=begins
    )


def _normalizers(content: dict[str, Any]) -> list[dict[str, Any]]:
    found = content["normalizer"]
    if found is None:
        return []
    steps: list[dict[str, Any]] = found["normalizers"] if found["type"] == "Sequence" else [found]
    return steps


def _words(content: dict[str, Any]) -> str:
    """llama.cpp's name of the rule by which a text is cut into words.

    Raises:
        ModelError: M76 when it has none for it.
    """
    found = content["pre_tokenizer"] or {}
    steps = found.get("pretokenizers", [found])
    kinds = [step.get("type") for step in steps]
    if kinds == ["ByteLevel"] and steps[0]["use_regex"] and not steps[0]["add_prefix_space"]:
        return "gpt-2"
    if kinds == ["Split", "ByteLevel"]:
        rule = steps[0]["pattern"].get("Regex", "")
        for beginning, name in _WORDS:
            if rule.startswith(beginning):
                return name
    raise no_gguf("unknown_words")
