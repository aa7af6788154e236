"""Compressed files are read like what is in them; damaged ones are refused."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from tunesmith.core.errors import DataError
from tunesmith.data.reading import open_file, read

PACKERS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


@pytest.mark.parametrize(("suffix", "pack"), PACKERS.items())
def test_a_compressed_table_is_the_table(
    shared_data: Path, tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    plain = shared_data / "cls_banking77" / "test.csv"
    packed = tmp_path / f"test.csv{suffix}"
    packed.write_bytes(pack(plain.read_bytes()))
    assert read(packed).frame.equals(read(plain).frame)
    batches = list(open_file(packed, batch_bytes=10_000).batches())
    assert len(batches) > 10
    assert sum(batch.read for batch in batches) == 3080


@pytest.mark.parametrize(("suffix", "pack"), PACKERS.items())
def test_a_compressed_file_that_is_cut_off_is_refused(
    tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(pack(b'{"text": "x"}\n' * 1000)[:-20])
    with pytest.raises(DataError) as caught:
        read(path)
    assert caught.value.problems[0].code == "D03"


def test_an_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError) as caught:
        read(tmp_path / "a.zip")
    assert [(p.code, p.values["reason"]) for p in caught.value.problems] == [("D03", "zip")]
