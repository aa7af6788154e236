"""Stages kept by content: the same inputs are computed once, a damaged result is made again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.core import cache


def test_the_key_depends_on_values_and_names_but_not_on_their_order():
    assert cache.key(a=1, b="二") == cache.key(b="二", a=1)
    assert len({cache.key(a=1), cache.key(a=2), cache.key(b=1), cache.key(a="1"), cache.key(a=None)}) == 5


@pytest.fixture
def make():
    """A stage that counts how often it was carried out."""

    def stage(folder: Path) -> None:
        stage.calls += 1
        (folder / "rows").write_text(str(stage.calls), "utf-8")

    stage.calls = 0
    return stage


def test_a_result_is_made_once(tmp_path, make):
    key = cache.key(rows=3)
    first, cached = cache.folder(tmp_path, "data", key, make)
    assert not cached
    assert cache.folder(tmp_path, "data", key, make) == (first, True)
    assert make.calls == 1


def test_another_key_or_stage_is_another_result(tmp_path, make):
    folders = {cache.folder(tmp_path, stage, cache.key(n=n), make)[0] for stage in "ab" for n in (1, 2)}
    assert len(folders) == 4


def test_a_damaged_result_is_made_again(tmp_path, make):
    folder, _ = cache.folder(tmp_path, "data", "0" * 64, make)
    (folder / "rows").write_text("x", "utf-8")
    again, cached = cache.folder(tmp_path, "data", "0" * 64, make)
    assert (again, cached) == (folder, False)
    assert (folder / "rows").read_text("utf-8") == "2"


def test_a_stage_that_fails_leaves_no_result(tmp_path, make):
    def fail(folder):
        (folder / "rows").write_text("half", "utf-8")
        raise ValueError("no rows")

    with pytest.raises(ValueError, match="no rows"):
        cache.folder(tmp_path, "data", "0" * 64, fail)
    assert cache.folder(tmp_path, "data", "0" * 64, make)[1] is False
