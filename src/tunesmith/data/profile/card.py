"""The data card: where the rows come from, under which licence as far as it is named, and in what state."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunesmith.core import durable, text

_BESIDE = ("LICENSE*", "LICENCE*", "COPYING*", "README*", "SOURCE*")
_READ = 200_000
# How licences call themselves, the more special first; names are SPDX identifiers.
_LICENCES = (
    ("CC-BY-NC-SA-4.0", r"Attribution-NonCommercial-ShareAlike 4\.0|CC[ -]BY[ -]NC[ -]SA[ -]4\.0"),
    ("CC-BY-NC-ND-4.0", r"Attribution-NonCommercial-NoDerivatives 4\.0|CC[ -]BY[ -]NC[ -]ND[ -]4\.0"),
    ("CC-BY-NC-4.0", r"Attribution-NonCommercial 4\.0|CC[ -]BY[ -]NC[ -]4\.0"),
    ("CC-BY-SA-4.0", r"Attribution-ShareAlike 4\.0|CC[ -]BY[ -]SA[ -]4\.0"),
    ("CC-BY-SA-3.0", r"Attribution-ShareAlike 3\.0|CC[ -]BY[ -]SA[ -]3\.0"),
    ("CC-BY-4.0", r"Creative Commons Attribution 4\.0|Attribution 4\.0 International|CC[ -]BY[ -]4\.0"),
    ("CC0-1.0", r"CC0 1\.0|CC0-1\.0"),
    ("Apache-2.0", r"Apache License,?\s+Version 2\.0|Apache[ -]2\.0"),
    ("MIT", r"MIT License|Permission is hereby granted, free of charge"),
    ("BSD-3-Clause", r"BSD[ -]3[ -]Clause|Neither the name of"),
    ("GPL-3.0", r"GNU GENERAL PUBLIC LICENSE\s+Version 3"),
    ("ODC-By-1.0", r"Open Data Commons Attribution"),
    ("ODbL-1.0", r"Open Database License"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of the data: where it is, how it was read, and which column each field comes from."""

    path: Path
    split: str = "all"
    format: str = ""
    encoding: str | None = None
    delimiter: str | None = None
    rows: int = 0
    kind: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict[str, str])

    def described(self) -> dict[str, Any]:
        """The same for JSON, with size and sha256."""
        there = self.path.is_file()
        return {
            "path": str(self.path),
            "split": self.split,
            "format": self.format,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "rows": self.rows,
            "kind": self.kind,
            "mapping": dict(self.mapping),
            "bytes": self.path.stat().st_size if there else None,
            "sha256": durable.sha256(self.path) if there else None,
        }


def licences(files: Sequence[File]) -> list[dict[str, str]]:
    """Licences that documents beside the files name. What they allow is for people to read."""
    folders = dict.fromkeys(file.path.parent for file in files)
    beside = (found for folder in folders for mask in _BESIDE for found in sorted(folder.glob(mask)))
    return [entry for document in dict.fromkeys(beside) for entry in _named(document)]


def _named(document: Path) -> list[dict[str, str]]:
    if not document.is_file():
        return []
    with document.open(encoding="utf-8", errors="replace") as opened:
        said = opened.read(_READ)
    names = [name for name, pattern in _LICENCES if re.search(pattern, said, re.IGNORECASE)]
    if document.name.upper().startswith(("LICENSE", "LICENCE", "COPYING")):
        # The text of a licence speaks of others; its own name comes first.
        names = sorted(names, key=lambda name: _first(name, said))[:1]
    return [{"file": document.name, "name": name} for name in names]


def _first(name: str, said: str) -> int:
    match = re.search(dict(_LICENCES)[name], said, re.IGNORECASE)
    return match.start() if match else len(said)


def markdown(profile: Mapping[str, Any], lang: str) -> str:
    """The data card as Markdown, with the front matter that hubs read."""
    card = profile["card"]
    lines = ["---", *_front(card), "---", f"# {card['name']}", ""]
    for key, value in facts(profile, text.language(lang)):
        lines.append(f"- **{key}**: {value}")
    return "\n".join([*lines, ""])


def _front(card: Mapping[str, Any]) -> list[str]:
    lines = ["language:", *(f"- {code}" for code in card["languages"])] if card["languages"] else []
    names = sorted({entry["name"] for entry in card["licences"]})
    if len(names) == 1:
        lines.append(f"license: {names[0].lower()}")
    return [*lines, "size_categories:", f"- {_category(card['rows'])}"]


def _category(rows: int) -> str:
    bounds = ((1_000, "1K"), (10_000, "10K"), (100_000, "100K"), (1_000_000, "1M"), (10_000_000, "10M"))
    below = "n"
    for bound, name in bounds:
        if rows < bound:
            return f"{below}<{name}" if below == "n" else f"{below}<n<{name}"
        below = name
    return "n>10M"


def facts(profile: Mapping[str, Any], lang: str) -> list[tuple[str, str]]:
    """The lines of the card: what they are called, and what they say."""

    def say(key: str, **values: object) -> str:
        return text.say(f"profile.{key}", lang, **values)

    card, hygiene = profile["card"], profile["card"]["hygiene"]
    stated = [say("card_licence_in", name=entry["name"], file=entry["file"]) for entry in card["licences"]]
    comma = "，" if lang == "zh" else ", "
    found = [say(f"card_{key}", count=f"{count:,}") for key, count in hygiene.items() if count]
    sources = [
        say("card_source", path=Path(file["path"]).name, rows=f"{file['rows']:,}", bytes=size(file["bytes"]))
        for file in profile["files"]
    ]
    return [
        (say("card_sources"), comma.join(sources)),
        (say("card_licence"), comma.join(stated) or say("card_licence_none")),
        (say("card_rows"), f"{card['rows']:,}"),
        (say("card_languages"), comma.join(card["languages"]) or "–"),
        (say("card_hygiene"), comma.join(found) or say("card_clean")),
        *((f"sha256 {Path(file['path']).name}", file["sha256"] or "–") for file in profile["files"]),
        *([(say("card_command"), card["command"])] if card["command"] else []),
    ]


def size(count: int | None) -> str:
    """A number of bytes for people."""
    if count is None:
        return "–"
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count = count / 1000  # type: ignore[assignment]
    return f"{count:.1f} GB"
