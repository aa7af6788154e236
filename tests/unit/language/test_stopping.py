from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.core.errors import DataError, NotFoundError
from tunesmith.language.segment import segment
from tunesmith.language.stopping import stop_words


def test_grammar_goes_and_meaning_stays() -> None:
    english = [word for word in segment("where is the card that you sent me") if word not in stop_words("en")]
    chinese = [word for word in segment("我的银行卡在哪里") if word not in stop_words("zh")]
    assert english == ["card", "sent"]
    assert chinese == ["银行卡"]


def test_a_list_of_ones_own_replaces_ours(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("# remark\nFoo\n\n bar \n", encoding="utf-8-sig")
    assert stop_words("en", file=tmp_path / "mine.txt") == {"foo", "bar"}


def test_what_cannot_be_had_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="D70"):
        stop_words("en", file=tmp_path / "none.txt")
    with pytest.raises(DataError, match="D71"):
        stop_words("fr")
    (tmp_path / "gbk.txt").write_bytes("的".encode("gbk"))
    with pytest.raises(DataError, match="D71"):
        stop_words("zh", file=tmp_path / "gbk.txt")
