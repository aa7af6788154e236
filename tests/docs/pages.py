"""The parts of a Markdown page that tests look at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LANGUAGES = ("en", "zh")

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_ROW = re.compile(r"^\| (.+) \|$", re.M)
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Page:
    """A Markdown file."""

    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """The page without its blocks of code."""
        return _FENCE.sub("", self.text)

    @property
    def headings(self) -> list[int]:
        """The level of each heading, in order."""
        return [len(marks) for marks in re.findall(r"^(#+) ", self.prose, re.M)]

    @property
    def links(self) -> list[str]:
        """Targets of links to other files."""
        return [target for target in _LINK.findall(self.prose) if "://" not in target]

    @property
    def rows(self) -> list[list[str]]:
        """The cells of all table rows."""
        return [[cell.strip() for cell in row.split(" | ")] for row in _ROW.findall(self.prose)]

    @property
    def named(self) -> set[str]:
        """Everything that stands between backticks."""
        return set(_CODE.findall(self.prose))

    def blocks(self, language: str) -> list[str]:
        """The blocks of code marked with `language`."""
        return [code for marked, code in _FENCE.findall(self.text) if marked == language]

    def commands(self) -> Iterator[str]:
        """The lines of console blocks that are typed, joined where a backslash continues them."""
        for block in self.blocks("console"):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("$ "):
                    yield line.removeprefix("$ ")

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))


def page(name: str, lang: str) -> Page:
    """A page of docs/."""
    return Page(ROOT / "docs" / lang / f"{name}.md")


def readme(lang: str) -> Page:
    """The README of a language."""
    return Page(ROOT / ("README.md" if lang == "en" else f"README.{lang}.md"))


def bilingual(lang: str) -> list[Page]:
    """All pages that exist in every language."""
    return [readme(lang), *(Page(path) for path in sorted((ROOT / "docs" / lang).glob("*.md")))]


ALL = [
    *(Page(path) for path in sorted(ROOT.glob("*.md"))),
    *(Page(path) for lang in LANGUAGES for path in sorted((ROOT / "docs" / lang).glob("*.md"))),
]
