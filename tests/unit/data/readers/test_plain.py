"""Plain text: rows are paragraphs or lines, and no line is lost count of."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.data.reading import open_file, read
from tunesmith.data.table import join


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_on_every_system(tmp_path: Path, end: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(end.join(["one", "two", "", "three", ""]).encode())
    table = read(path)
    assert table.frame["text"].to_list() == ["one\ntwo", "three"]
    assert (table.lines, table.spans, table.blank, table.read) == ((1, 4), (2, 1), (3,), 4)


def test_a_paragraph_longer_than_a_batch_is_one_row(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("short\n\n" + "a line of words\n" * 1000 + "\nend\n", encoding="utf-8")
    batches = list(open_file(path, batch_bytes=100).batches())
    assert [span for batch in batches for span in batch.spans or ()] == [1, 1000, 1]


@given(st.lists(st.sampled_from(["", " ", "a", "字 b", "\x0b", "\u2028c"]), min_size=1), st.integers(1, 20))
def test_every_line_is_counted(tmp_path_factory: pytest.TempPathFactory, lines: list[str], size: int) -> None:
    text = "\n".join([*lines, "end"])
    path = tmp_path_factory.getbasetemp() / "lines.txt"
    path.write_text(text, encoding="utf-8")
    table = join(list(open_file(path, batch_bytes=size).batches()))
    assert table.read == len(lines) + 1
    filled = [line for line in lines if line.strip()]
    assert "\n".join(table.frame["text"]) == "\n".join([*filled, "end"])
