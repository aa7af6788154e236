"""What one token adds to a text, as bytes: a token may end inside a character, so it need not be text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from tokenizers import Tokenizer

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")


class TokenBytes:
    """Of a tokenizer whose decoder is made of the usual steps; special tokens are what they are called."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        added = tokenizer.get_added_tokens_decoder()
        self._added = {i: token.content for i, token in added.items()}
        self.special = {i for i, token in added.items() if token.special}
        steps = list(_steps(json.loads(tokenizer.decoder.__getstate__()) if tokenizer.decoder else {}))
        self._changes = [change for step in steps if (change := _change(step))]
        kinds = {step["type"] for step in steps}
        self._fallback = "ByteFallback" in kinds
        self._alphabet = _alphabet() if "ByteLevel" in kinds else {}

    def __call__(self, token: int) -> bytes:
        """The bytes of one id; of an id outside the vocabulary, none."""
        if token in self._added:
            return self._added[token].encode()
        text = self._tokenizer.id_to_token(token) or ""
        if self._fallback and (byte := _BYTE.fullmatch(text)):
            return bytes([int(byte[1], 16)])
        for change in self._changes:
            text = change(text)
        if not self._alphabet:
            return text.encode()
        return b"".join(self._alphabet.get(c, c.encode()) for c in text)

    def shown(self, token: int) -> bytes:
        """What a reader of the text sees of it: nothing of a special token."""
        return b"" if token in self.special else self(token)

    def text(self, token: int) -> str:
        """The text of one id; what is no text by itself is written as `bytes:` and its code."""
        own = self(token)
        try:
            return own.decode()
        except UnicodeDecodeError:
            return "bytes:" + "".join(f"\\x{byte:02x}" for byte in own)


def _steps(decoder: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if decoder.get("type") == "Sequence":
        for inner in decoder["decoders"]:
            yield from _steps(inner)
    elif decoder:
        yield decoder


def _change(step: dict[str, Any]) -> Callable[[str], str] | None:
    if step["type"] == "Replace" and (old := step["pattern"].get("String")):
        return lambda text: text.replace(old, step["content"])
    if step["type"] == "Metaspace":
        return lambda text: text.replace(step["replacement"], " ")
    if step["type"] == "WordPiece":
        return lambda text: (
            text.removeprefix(step["prefix"]) if text.startswith(step["prefix"]) else f" {text}"
        )
    return None


def _alphabet() -> dict[str, bytes]:
    """The character that stands for each byte: itself where it is printed, else one from 256 on (GPT-2)."""
    printed = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printed]
    shown = {chr(byte): bytes([byte]) for byte in printed}
    return {**shown, **{chr(256 + i): bytes([byte]) for i, byte in enumerate(others)}}
