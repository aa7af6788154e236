"""Files in batches: the same rows whatever the size of a batch, in memory that does not grow."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.core.errors import DataError, TunesmithError
from tunesmith.data.reading import SAMPLE_BYTES, open_file, read
from tunesmith.data.table import RawTable, join

MESSY = (
    "broken_lines.jsonl", "ragged.csv", "quotes_newlines.csv", "mixed_schema.jsonl", "mixed_encoding.jsonl",
    "nested_under_key.json", "json_array_trailing_comma.json", "json_pretty_array.jsonl", "utf16le_bom.tsv",
    "zh_gb18030.csv", "huge_row.jsonl", "table.parquet", "sheet.xlsx", "empty.csv", "no_header.csv",
)  # fmt: skip
SETS = (
    "qa_cmrc2018_dev/cmrc2018_dev.json", "slot_snips/train_PlayMusic_full.json",
    "cls_sms_spam/SMSSpamCollection",
    "ner_wnut17/emerging.test.annotated", "text_alice/11-0.txt", "cls_banking77/categories.json",
    "text_wiki_demo/wiki_demo.txt", "ner_uner_zh/zh_gsdsimp-ud-dev.iob2",
)  # fmt: skip


def joined(path: Path, size: int) -> RawTable | list[tuple[str, int | None]]:
    """All batches of a file as one table, or the codes and places of its mistakes."""
    try:
        return join(list(open_file(path, batch_bytes=size).batches()))
    except TunesmithError as error:
        return [(problem.code, problem.line) for problem in error.problems]


def same(one: object, other: object) -> bool:
    """Whether both are the same table or the same mistakes."""
    if not isinstance(one, RawTable) or not isinstance(other, RawTable):
        return one == other
    facts = (
        "lines",
        "broken",
        "spans",
        "blank",
        "nested",
        "encoding",
        "header",
        "repeated",
        "delimiter",
        "read",
    )
    return one.frame.equals(other.frame) and all(getattr(one, f) == getattr(other, f) for f in facts)


@pytest.mark.parametrize("name", [*(f"messy/{name}" for name in MESSY), *SETS])
def test_batches_of_every_size_are_the_same_table(shared_data: Path, name: str) -> None:
    path = shared_data / name
    whole = joined(path, 4 * 1024 * 1024)
    assert same(joined(path, 1024), whole)
    assert same(joined(path, 65_536), whole)


def test_small_batches_are_many(shared_data: Path) -> None:
    file = open_file(shared_data / "cls_banking77" / "train.csv", batch_bytes=65_536)
    sizes = [batch.frame.height for batch in file.batches()]
    assert len(sizes) > 10
    assert max(sizes) < 2000
    assert sum(sizes) == 10_003


def long_lines(path: Path, count: int, size: int) -> None:
    """JSON Lines whose rows have `size` characters; one has a number late in the file, one is no JSON."""
    with path.open("w", encoding="utf-8") as file:
        for i in range(count):
            file.write(json.dumps({"text": f"{i} " + "字" * (size // 3), "n": i if i > count // 2 else None}))
            file.write("\n{broken\n" if i == count - 2 else "\n")


MEASURE = """
import resource, sys
from pathlib import Path
from tunesmith.data.reading import open_file
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
file = open_file(Path(sys.argv[1]))
rows = sum(batch.read for batch in file.batches())
print(rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def as_array(path: Path) -> Path:
    """The rows of a file of JSON Lines, without the broken one, as one array on one line."""
    array = path.with_suffix(".json")
    with path.open("rb") as lines, array.open("wb") as file:
        for i, line in enumerate(line for line in lines if b"{broken" not in line):
            file.write((b"," if i else b"[") + line.rstrip(b"\n"))
        file.write(b"]")
    return array


@pytest.mark.parametrize(("form", "rows"), [(lambda path: path, 6001), (as_array, 6000)])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, form: Callable[[Path], Path], rows: int) -> None:
    path = tmp_path / "long.jsonl"
    long_lines(path, 6000, 5000)
    path = form(path)
    assert path.stat().st_size > 6 * SAMPLE_BYTES
    command = [sys.executable, "-c", MEASURE, str(path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    read_rows, grown_mb = map(int, said)
    assert read_rows == rows
    assert grown_mb < 150


def test_what_comes_behind_the_sample_cannot_change_what_was_recognised(tmp_path: Path) -> None:
    path = tmp_path / "late.jsonl"
    long_lines(path, 3000, 5000)
    file = open_file(path)
    assert (file.format, file.whole, file.sample.broken) == ("jsonl", False, ())
    late = [batch for batch in file.batches() if batch.broken]
    assert [(broken.line, broken.code) for batch in late for broken in batch.broken] == [(3000, "D12")]
    table = read(path, on_error="drop")
    assert table.values("n")[-1] == 2999
    assert table.lines[-1] == 3001


def test_a_quote_that_is_opened_behind_the_sample_is_an_error_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    line = '"' + "word " * 200 + '",label\n'
    count = SAMPLE_BYTES // len(line) + 1000
    path.write_text("text,label\n" + line * count + '"never closed,label\n', encoding="utf-8")
    file = open_file(path)
    with pytest.raises(DataError) as caught:
        list(file.batches())
    assert [(p.code, p.line) for p in caught.value.problems] == [("D11", count + 2)]


def test_a_quote_behind_many_tabs_without_one_is_text(tmp_path: Path) -> None:
    path = tmp_path / "late.tsv"
    line = "label\t" + "word " * 200 + "\n"
    count = SAMPLE_BYTES // len(line) + 1000
    path.write_text("label\ttext\n" + line * count + 'label\t"so he said\n', encoding="utf-8")
    assert read(path).frame["text"][-1] == '"so he said'


def test_rows_under_a_second_key_behind_the_sample_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "late.json"
    row = {"text": "word " * 2000}
    rows = [row] * (SAMPLE_BYTES // 10_000 + 100)
    path.write_text(json.dumps({"train": rows, "more": [row]}), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        list(open_file(path).batches())
    assert [p.code for p in caught.value.problems] == ["D14"]


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=12)


@given(
    rows=st.lists(st.tuples(CELL, CELL.filter(bool)), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
    size=st.integers(1, 200),
)
@settings(max_examples=60)
def test_cells_of_delimited_files_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], delimiter: str, end: str, size: int
) -> None:
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("text", "label"), *rows])
    path = tmp_path_factory.getbasetemp() / "dialect.csv"
    path.write_bytes(written.getvalue().encode())
    table = joined(path, size)
    assert isinstance(table, RawTable)
    assert table.frame.rows() == rows
    assert table.delimiter == delimiter


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | CELL,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(CELL, inner, max_size=3),
    max_leaves=6,
)


@given(
    rows=st.lists(
        st.dictionaries(st.sampled_from("abc"), JSON, min_size=1, max_size=3), min_size=2, max_size=6
    ),
    form=st.sampled_from(["lines", "array", "pretty", "key"]),
    size=st.integers(1, 300),
)
@settings(max_examples=100)
def test_values_of_json_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], form: str, size: int
) -> None:
    written = {
        "lines": "\n".join(json.dumps(row, ensure_ascii=False) for row in rows),
        "array": json.dumps(rows, ensure_ascii=False),
        "pretty": json.dumps(rows, indent=2),
        "key": json.dumps({"version": "1", "data": rows}, indent=1),
    }
    path = tmp_path_factory.getbasetemp() / "values.json"
    path.write_text(written[form], encoding="utf-8")
    table = joined(path, size)
    assert isinstance(table, RawTable)
    names = list(dict.fromkeys(name for row in rows for name in row))
    assert table.frame.columns == names
    for name in names:
        assert table.values(name) == [row.get(name) for row in rows]


@given(
    data=st.binary(max_size=120)
    | CELL.map(str.encode)
    | st.text('{}[]",:\n\t1a -#O', max_size=60).map(str.encode),
    suffix=st.sampled_from(["csv", "tsv", "json", "jsonl", "txt", "conll", "parquet", "xlsx", "gz", "arrow"]),
    magic=st.sampled_from(
        [b"", b"PAR1", b"ARROW1\0\0", b"\xff\xff\xff\xff", b"PK\x03\x04", b"\x1f\x8b", b"BZh"]
    ),
)
@settings(max_examples=300)
def test_whatever_the_bytes_a_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str, magic: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / f"bytes.{suffix}"
    path.write_bytes(magic + data)
    whole = joined(path, 4 * 1024 * 1024)
    assert same(joined(path, 16), whole)
