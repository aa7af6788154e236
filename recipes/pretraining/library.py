"""The free texts beside the generated ones: read where they lie, cut into passages, never copied."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

_PASSAGE = 1400  # characters: about one context of tokens


def passages(folder: Path) -> Iterator[str]:
    """Passages of Shakespeare, of Alice (public domain) and of Chinese classics (MIT; public domain)."""
    yield from _cut((folder / "text_tinyshakespeare" / "input.txt").read_text(encoding="utf-8"))
    yield from _cut(_alice(folder))
    for path in sorted((folder / "text_chinese_poetry").glob("*.json")):
        for poem in _poems(json.loads(path.read_text(encoding="utf-8"))):
            yield from _cut(poem)


def _alice(folder: Path) -> str:
    text = (folder / "text_alice" / "11-0.txt").read_text(encoding="utf-8-sig")
    start = text.index("CHAPTER I")
    return text[start : text.rindex("THE END")]


def _cut(text: str) -> Iterator[str]:
    """Paragraphs joined to passages."""
    passage = ""
    for paragraph in text.replace("\r\n", "\n").split("\n\n"):
        if passage and len(passage) + len(paragraph) > _PASSAGE:
            yield passage
            passage = ""
        passage += ("\n\n" if passage else "") + paragraph.strip("\n")
    if passage.strip():
        yield passage


def _poems(found: object) -> Iterator[str]:
    """Whatever the file's shape: every list of lines with its title."""
    if isinstance(found, list):
        for item in found:
            yield from _poems(item)
    elif isinstance(found, dict):
        lines = found.get("paragraphs") or found.get("para")
        if lines:
            title = found.get("title") or found.get("rhythmic") or found.get("chapter") or ""
            author = found.get("author") or ""
            yield "\n".join(part for part in (f"{title} {author}".strip(), *lines) if part)
        for value in found.values():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                yield from _poems(value)
