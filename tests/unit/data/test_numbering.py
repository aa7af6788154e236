"""Every line that is or was meant as a row has a number, and a hash that depends on what it says alone."""

from __future__ import annotations

import json
from pathlib import Path

from tunesmith.data.numbering import hashes, number
from tunesmith.data.reading import read


def test_rows_broken_lines_and_blank_lines_are_numbered_in_their_order(tmp_path: Path) -> None:
    lines = tmp_path / "a.jsonl"
    lines.write_text('{"a": 1}\nbroken\n{"a": 2}\n')
    found = number(read(lines, on_error="drop"), 100)
    assert (found.rows.tolist(), found.broken.tolist()) == ([100, 102], [101])
    assert (found.lines.tolist(), found.part_of.tolist()) == ([1, 2, 3], [100, 101, 102])


def test_lines_of_a_paragraph_belong_to_its_first(tmp_path: Path) -> None:
    text = tmp_path / "a.txt"
    text.write_text("one\ntwo\n\nthree\n\n\nfour\nfive\n")
    found = number(read(text), 0)
    assert found.lines.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert found.part_of.tolist() == [0, 0, 2, 3, 4, 5, 6, 6]
    assert (found.rows.tolist(), found.blank.tolist()) == ([0, 3, 6], [2, 4, 5])


def test_a_hash_depends_on_the_row_and_not_on_those_beside_it(tmp_path: Path) -> None:
    rows = [
        {"a": "x", "b": 1},
        {"a": [1, "y"], "c": 2.5},
        {"b": 1, "a": "x"},
        {"a": "x"},
        {"a": "x", "b": "1"},
    ]
    together = tmp_path / "all.jsonl"
    together.write_text("\n".join(map(json.dumps, rows)))
    found = [digest.tobytes() for digest in hashes(read(together))]
    for i, row in enumerate(rows):
        alone = tmp_path / f"{i}.jsonl"
        alone.write_text(json.dumps(row))
        assert hashes(read(alone))[0].tobytes() == found[i]
    assert found[0] == found[2] != found[3]
