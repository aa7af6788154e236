"""The tokenizer of a GGUF file, as tokenizer.json has it; the other way of `models.export.gguf_tokens`.

Of the rules by which texts are cut into words a file has only the names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gguf import TokenType
from tokenizers import Tokenizer

from tunesmith.core.errors import ModelError

if TYPE_CHECKING:
    from tunesmith.models.gguf_reader import Gguf

_SPACE = "▁"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_LETTERS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_WORDS = {"qwen2": _LETTERS + r"\p{N}" + _REST, "llama-bpe": _LETTERS + r"\p{N}{1,3}" + _REST}
_OWN_WORDS = ("gpt-2", "gpt2")


def of(file: Gguf) -> Tokenizer:
    """The tokenizer of a file.

    Raises:
        ModelError: M77 when its method, or its rule for words, is not one that is known.
    """
    tokens = file.tokens
    try:
        made = {"gpt2": _of_bytes, "llama": _of_characters}[tokens["model"]](tokens)
        content = {"version": "1.0", "added_tokens": _added(tokens), "post_processor": _frame(tokens), **made}
        return Tokenizer.from_str(json.dumps(content))
    except KeyError as error:
        raise ModelError("M77", reason=f"its tokenizer has no {error}, or one that is not known") from error


def token(file: Gguf, role: str) -> str:
    """The text of a token by its role, as `bos`; empty where there is none."""
    place = file.tokens.get(f"{role}_token_id")
    return "" if place is None else str(file.tokens["tokens"][place])


def _of_bytes(tokens: Mapping[str, Any]) -> dict[str, Any]:
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    name = tokens["pre"]
    pre: dict[str, Any] = level
    if name not in _OWN_WORDS:
        split = {
            "type": "Split", "pattern": {"Regex": _WORDS[name]}, "behavior": "Isolated", "invert": False,
        }  # fmt: skip
        pre = {"type": "Sequence", "pretokenizers": [split, {**level, "use_regex": False}]}
    merges = [pair.split(" ") for pair in tokens["merges"]]
    return {
        "normalizer": {"type": "NFC"} if name == "qwen2" else None,
        "pre_tokenizer": pre,
        "decoder": level,
        "model": {"type": "BPE", "vocab": _vocab(tokens), "merges": merges},
    }


def _of_characters(tokens: Mapping[str, Any]) -> dict[str, Any]:
    begins = bool(tokens.get("add_space_prefix", True))
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": _SPACE}
    prepend = [{"type": "Prepend", "prepend": _SPACE}] if begins else []
    back = {"type": "Replace", "pattern": {"String": _SPACE}, "content": " "}
    strip = [{"type": "Strip", "content": " ", "start": 1, "stop": 0}] if begins else []
    unknown = [t for t, kind in zip(tokens["tokens"], tokens["token_type"], strict=True) if kind == _UNKNOWN]
    return {
        "normalizer": {"type": "Sequence", "normalizers": [*prepend, replace]},
        "pre_tokenizer": None,
        "decoder": {
            "type": "Sequence",
            "decoders": [back, {"type": "ByteFallback"}, {"type": "Fuse"}, *strip],
        },
        "model": {
            "type": "BPE",
            "vocab": _vocab(tokens),
            "merges": _merges(tokens["tokens"], tokens["scores"]),
            "unk_token": unknown[0] if unknown else None,
            "byte_fallback": True,
        },
    }


_UNKNOWN = int(TokenType.UNKNOWN)
_ADDED = (int(TokenType.CONTROL), int(TokenType.USER_DEFINED), _UNKNOWN)


def _vocab(tokens: Mapping[str, Any]) -> dict[str, int]:
    kinds = tokens["token_type"]
    return {t: i for i, t in enumerate(tokens["tokens"]) if kinds[i] != int(TokenType.UNUSED)}


def _added(tokens: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = zip(tokens["tokens"], tokens["token_type"], strict=True)
    return [
        {
            "id": i, "content": content, "special": kind != int(TokenType.USER_DEFINED), "single_word": False,
            "lstrip": False, "rstrip": False, "normalized": False,
        }
        for i, (content, kind) in enumerate(found)
        if kind in _ADDED
    ]  # fmt: skip


def _frame(tokens: Mapping[str, Any]) -> dict[str, Any] | None:
    """What stands before every text, where anything does."""
    first = tokens.get("bos_token_id")
    if first is None or not tokens.get("add_bos_token", tokens["model"] == "llama"):
        return None
    name = tokens["tokens"][first]
    start = {"SpecialToken": {"id": name, "type_id": 0}}
    parts: list[dict[str, Any]] = [start, {"Sequence": {"id": "A", "type_id": 0}}]
    pair = [*parts, {"Sequence": {"id": "B", "type_id": 1}}]
    known = {name: {"id": name, "ids": [first], "tokens": [name]}}
    return {"type": "TemplateProcessing", "single": parts, "pair": pair, "special_tokens": known}


def _merges(tokens: Sequence[str], scores: Sequence[float]) -> list[list[str]]:
    """The pairs that make each token, those of the best score first, as llama.cpp joins them."""
    at = {token: i for i, token in enumerate(tokens)}
    found: list[tuple[float, int, int]] = []
    for i, whole in enumerate(tokens):
        if scores[i] < 0:
            cuts = ((whole[:n], whole[n:]) for n in range(1, len(whole)))
            found += [(-scores[i], at[a], at[b]) for a, b in cuts if a in at and b in at]
    return [[tokens[a], tokens[b]] for _, a, b in sorted(found)]
