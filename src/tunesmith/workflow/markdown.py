"""README.md as hubs read it: a head of YAML, a body of Markdown in which users' words are escaped."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

FILE = "README.md"

# Names of hubs for what a task does; others have the task's own name.
_PIPELINES: Mapping[str, str] = {
    "classify": "text-classification",
    "generate": "text-generation",
    "chat": "text-generation",
    "translate": "translation",
    "embed": "sentence-similarity",
    "tag": "token-classification",
    "answer": "question-answering",
    "score": "text-classification",
    "mask": "fill-mask",
}
_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~$])")


def write(folder: Path, head: Mapping[str, Any], body: Iterable[str]) -> None:
    """Write README.md of a head, whose values that say nothing are left out, and the lines of a body."""
    (folder / FILE).write_text(f"{yaml_head(head)}\n" + "\n".join(body), encoding="utf-8")


def yaml_head(values: Mapping[str, Any]) -> str:
    """A key a line, its value as JSON, which every reader of YAML takes and no text can break out of."""
    lines = "".join(
        f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items() if value
    )
    return f"---\n{lines}---\n"


def pipeline(task: str) -> str:
    """The hubs' name for what a task does."""
    return _PIPELINES.get(task, task)


def licence(name: str | None) -> dict[str, str]:
    """A licence as the head of a card states it; one of its owner's own by its name."""
    if name is None:
        return {}
    if name.startswith("LicenseRef-"):
        return {"license": "other", "license_name": name.removeprefix("LicenseRef-").lower()}
    return {"license": name.lower()}


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table of plain words."""
    yield "| " + " | ".join(map(plain, columns)) + " |"
    yield "|" + " --- |" * len(columns)
    yield from ("| " + " | ".join(map(plain, row)) + " |" for row in rows)


def plain(words: str) -> str:
    """Words of unknown origin on one line of Markdown: no markup, no HTML, no end of a table's cell."""
    flat = " ".join(words.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", flat)
