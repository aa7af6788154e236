"""Tokens and tags one a line are found by their content, whatever divides them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.core.errors import DataError
from tunesmith.data.reading import read

CONLL_2003 = """-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
rejects VBZ B-VP O
. . O O

Peter NNP B-NP B-PER
Blackburn NNP I-NP I-PER
"""


def written(folder: Path, content: str, name: str = "a.txt") -> Path:
    """A file with that text."""
    (folder / name).write_bytes(content.encode())
    return folder / name


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_last_field_of_conll_2003_is_the_tag(tmp_path: Path, end: str) -> None:
    table = read(written(tmp_path, CONLL_2003.replace("\n", end)))
    assert table.format == "conll"
    assert table.values("tokens") == [["EU", "rejects", "."], ["Peter", "Blackburn"]]
    assert table.values("tags") == [["B-ORG", "O", "O"], ["B-PER", "I-PER"]]
    assert table.lines == (3, 7)


def test_comments_give_the_text_and_a_hash_may_be_a_token(tmp_path: Path) -> None:
    table = read(written(tmp_path, "# id = 1\n# text = 我 #1\n我\tB-PER\n#1\tO\n\n#\tO\nb\tO\n"))
    assert table.values("tokens") == [["我", "#1"], ["#", "b"]]
    assert table.values("text") == ["我 #1", None]
    assert table.lines == (3, 6)


def test_a_sentence_with_a_short_line_is_broken_at_that_line(tmp_path: Path) -> None:
    path = written(tmp_path, "a B-X\nb O\n\nc\nd O\n\n" + "e O\n" * 40)
    table = read(path, on_error="drop")
    assert [(broken.line, broken.code) for broken in table.broken] == [(4, "D41")]
    assert (table.frame.height, table.read) == (2, 3)
    with pytest.raises(DataError, match="2 are expected"):
        read(path)


def test_numbered_tokens_and_the_name_of_a_file_are_understood(tmp_path: Path) -> None:
    numbered = read(written(tmp_path, "1\t我\tB-PER\t-\n2\t来\tO\t-\n\n1\t好\tO\t-\n"))
    assert (numbered.values("tokens"), numbered.values("tags")) == (
        [["我", "来"], ["好"]],
        [["B-PER", "O"], ["O"]],
    )
    bare = read(written(tmp_path, "all O\noutside O\n", "a.bio"))
    assert bare.values("tags") == [["O", "O"]]


@pytest.mark.parametrize("content", ["ham\tO\nspam\tO\n", "a sentence with O\nanother\n", "x\tB-1\ny\tB-2\n"])
def test_other_tables_and_texts_are_left_alone(tmp_path: Path, content: str) -> None:
    assert read(written(tmp_path, content)).format in ("tsv", "text")
