"""The encoding of a file is found from its bytes, and its text survives."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.errors import DataError
from tunesmith.data.encoding import find, find_in
from tunesmith.data.readers.text import open_text
from tunesmith.data.reading import open_file


def read_text(path: Path, size: int = 7) -> tuple[str, str]:
    """Encoding and text, read in small pieces."""
    text = open_text(path)
    assert b"".join(text.blocks(size)).decode() == "".join(text.texts(size)).removeprefix("\ufeff")
    return str(text.encoding), b"".join(text.blocks(size)).decode()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030", "gbk"])
def test_text_survives_every_encoding_of_it(tmp_path: Path, encoding: str) -> None:
    text = "文本,标签\n今天 weather 怎么样？,天气\n退款什么时候到账，谢谢,退款\n"
    (tmp_path / "a").write_bytes(text.encode(encoding))
    assert read_text(tmp_path / "a")[1] == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("議會成員擔心看起來像木偶，這樣不好。", "big5"),
        ("Größe, Fußgänger, schön", "cp1252"),
        ("Il a été « là », c’est déjà ça.", "cp1252"),
    ],
)
def test_short_texts_are_enough_to_tell_the_encoding(tmp_path: Path, text: str, encoding: str) -> None:
    (tmp_path / "a").write_bytes(text.encode(encoding))
    assert read_text(tmp_path / "a") == (encoding, text)


def test_bytes_of_no_known_encoding_are_refused_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("ascii\nпривет мир, как дела".encode("cp1251"))
    with pytest.raises(DataError) as caught:
        find(tmp_path / "a.txt")
    assert [(p.code, p.line) for p in caught.value.problems] == [("D05", 2)]


def test_characters_written_as_two_surrogates_are_one(shared_data: Path) -> None:
    music = shared_data / "slot_snips" / "train_PlayMusic_full.json"
    encoding, text = read_text(music, 1000)
    assert encoding == "cesu-8"
    assert "\U0001f355" in text


def test_lines_in_another_encoding_are_decoded_line_by_line(tmp_path: Path) -> None:
    lines = ["今天天气怎么样", "退款什么时候到账", "我的卡丢了怎么办"]
    kinds = ("utf-8", "gbk", "utf-8")
    path = tmp_path / "a.txt"
    path.write_bytes(b"\n".join(line.encode(kind) for line, kind in zip(lines, kinds, strict=True)))
    assert read_text(path) == ("utf-8 with GBK lines", "\n".join(lines))


def test_a_compressed_file_has_the_encoding_of_its_content(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress("文本,标签\n今天天气怎么样,天气\n".encode("gbk")))
    assert read_text(path) == ("gbk", "文本,标签\n今天天气怎么样,天气\n")


@given(st.binary(max_size=200).filter(lambda data: b"\0" not in data), st.integers(3, 50))
def test_pieces_of_any_size_give_the_same_encoding(data: bytes, size: int) -> None:
    def found(size: int) -> object:
        pieces = [data[i : i + size] for i in range(0, len(data), size)]
        try:
            return find_in(lambda: iter(pieces), Path("a"))
        except DataError as error:
            return error.problems

    assert found(size) == found(200)


def test_the_end_of_a_file_with_surrogates_is_read_though_no_line_ends_it(tmp_path: Path) -> None:
    emoji = "😀".encode("utf-16-le", "surrogatepass")
    pair = b"".join(
        chr(int.from_bytes(emoji[i : i + 2], "little")).encode("utf-8", "surrogatepass") for i in (0, 2)
    )
    (tmp_path / "a.txt").write_bytes("第一行 hello".encode() + pair + "\n第二行你好世界".encode())
    rows = [cell for table in open_file(tmp_path / "a.txt").batches() for (cell,) in table.frame.rows()]
    assert rows == ["第一行 hello😀", "第二行你好世界"]
