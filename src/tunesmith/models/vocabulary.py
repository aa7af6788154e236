"""What tokenizer.json says, read as JSON: how text is cut, how many tokens are known, which are special."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.models.json_file import read_json

_NAMES = {"WordPiece": "wordpiece", "Unigram": "unigram", "WordLevel": "words"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """`kind` as a recipe names it, or as the library does; `size` counts tokens, the `special` ones too."""

    kind: str
    size: int
    special: tuple[str, ...]


def read(folder: Path) -> Vocabulary | None:
    """The vocabulary of a model folder, or None where it has no tokenizer.json.

    Raises:
        ModelError: M06 when the file is damaged.
    """
    said = read_json(folder / "tokenizer.json")
    model = said.get("model")
    if not isinstance(model, dict):
        return None
    added = [one for one in said.get("added_tokens") or () if isinstance(one, dict)]
    known = _tokens(model) | {str(one.get("content")) for one in added}
    special = tuple(str(one.get("content")) for one in added if one.get("special"))
    return Vocabulary(kind=_kind(model), size=len(known), special=special)


def _tokens(model: dict[str, Any]) -> set[str]:
    """Of a list of tokens with their scores, or a table of tokens and their ids."""
    vocab = model.get("vocab") or ()
    return {str(one[0]) if isinstance(one, list) else str(one) for one in vocab}


def _kind(model: dict[str, Any]) -> str:
    name = str(model.get("type") or ("BPE" if "merges" in model else "?"))
    if name != "BPE":
        return _NAMES.get(name, name)
    if not model.get("byte_fallback"):
        return "bpe"
    return "bpe_fallback" if model.get("merges") else "characters"
