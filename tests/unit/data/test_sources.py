"""Entries of `data.source` become files: folders, descriptions, aligned lines, parts of data sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tunesmith.core.errors import DataError, NotFoundError, TunesmithError
from tunesmith.core.recipe import Data
from tunesmith.data import folders
from tunesmith.data.pipeline import stream
from tunesmith.data.reading import open_file, read
from tunesmith.data.sources import find, locate, source_paths, splits_of

# The index counts the three keys of this one object; its rows are the twelve books under `content`.
COUNTED_OTHERWISE = {"text_chinese_poetry": 9, "guwenguanzhi.json": 9}


def index(shared: Path) -> dict[str, int]:
    """The rows of each data set as the index of the shared data has them."""
    cells = [line.split("|") for line in (shared / "INDEX.md").read_text("utf-8").splitlines()]
    rows = {row[1].strip(): row[4].strip().replace(",", "") for row in cells if len(row) > 6}
    return {
        name: int(count) + COUNTED_OTHERWISE.get(name, 0)
        for name, count in rows.items()
        if count.isdigit() and name != "messy" and not name.startswith("recipes_")
    }


def described(folder: Path) -> dict[str, int]:
    """The rows of each file as the description of a data set has them."""
    cells = [line.split("|") for line in (folder / "SOURCE.md").read_text("utf-8").splitlines()]
    return {
        row[1].strip(): int(row[3]) + COUNTED_OTHERWISE.get(row[1].strip(), 0)
        for row in cells
        if len(row) > 6 and row[3].strip().isdigit()
    }


def test_every_data_set_is_read_from_its_folder_with_the_rows_it_should_have(shared_data: Path) -> None:
    counted: dict[str, int] = {}
    for name in index(shared_data):
        files = locate(name, shared_data)
        rows = {file.path.name: read(file).read for file in files}
        assert rows == described(shared_data / name)
        counted[name] = sum(rows.values())
    assert counted == index(shared_data)
    assert len(counted) > 25


def test_licences_descriptions_and_hidden_files_are_no_data(tmp_path: Path) -> None:
    for name in (
        "b.csv",
        "a/c.jsonl",
        "LICENSE",
        "README.md",
        "SOURCE.md",
        ".hidden.csv",
        "run.py",
        "sha256sums",
        "b.csv.ledger.parquet",
        "a/ledger.parquet",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('{"text": "x"}\n', encoding="utf-8")
    assert find(str(tmp_path), Path()) == [tmp_path / "a" / "c.jsonl", tmp_path / "b.csv"]
    assert find(str(tmp_path / "*"), Path()) == [tmp_path / "b.csv"]
    assert find(str(tmp_path / "*.md"), Path()) == [tmp_path / "README.md", tmp_path / "SOURCE.md"]
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="D46"):
        find("none", tmp_path)


def save_to_disk(folder: Path, rows: dict[str, list[Any]], features: dict[str, Any], shards: int = 2) -> None:
    """A data set in the layout of Hugging Face's `save_to_disk`."""
    folder.mkdir(parents=True)
    names = [f"data-{i:05}-of-{shards:05}.arrow" for i in range(shards)]
    frame = pl.DataFrame(rows)
    for i, name in enumerate(names):
        frame.slice(i * frame.height // shards, frame.height // shards).write_ipc_stream(folder / name)
    frame.write_ipc_stream(folder / "cache-0123.arrow")
    (folder / "dataset_info.json").write_text(json.dumps({"features": features}), encoding="utf-8")
    state = {"_data_files": [{"filename": name} for name in names]}
    (folder / "state.json").write_text(json.dumps(state), encoding="utf-8")


def test_a_saved_data_set_is_read_with_the_names_of_its_labels(tmp_path: Path) -> None:
    label = {"names": ["no", "yes"], "_type": "ClassLabel"}
    rows: dict[str, list[Any]] = {"text": ["a", "b", "c", "d"], "label": [0, 1, 1, 0]}
    for part in ("train", "validation"):
        save_to_disk(tmp_path / "set" / part, rows, {"label": label})
    (tmp_path / "set" / "dataset_dict.json").write_text(
        '{"splits": ["train", "validation"]}', encoding="utf-8"
    )
    files = locate("set", tmp_path)
    assert [file.part for file in files] == ["train", "train", "validation", "validation"]
    assert read(files[1]).frame.rows() == [("c", "yes"), ("d", "no")]
    assert splits_of([("all", file) for file in files]) == ["train", "train", "validation", "validation"]
    assert [file.part for file in locate("set", tmp_path, "validation")] == ["validation", "validation"]
    assert tmp_path / "set" / "train" / "dataset_info.json" in find("set", tmp_path)
    assert not any("cache" in path.name for path in find("set", tmp_path))


def test_parquet_shards_say_their_part_and_other_files_leave_a_source_whole(tmp_path: Path) -> None:
    for name in ("train-00000-of-00002", "train-00001-of-00002", "test-00000-of-00001"):
        pl.DataFrame({"text": [name]}).write_parquet(tmp_path / f"{name}.parquet")
    files = locate(str(tmp_path), Path())
    assert splits_of([("all", file) for file in files]) == ["test", "train", "train"]
    (tmp_path / "more.csv").write_text("text,label\nx,y\n", encoding="utf-8")
    files = locate(str(tmp_path), Path())
    assert splits_of([("all", file) for file in files]) == ["all"] * 4


@pytest.mark.parametrize("name", ["../t.csv", "a/../../t.csv", "..\\t.csv", "ROOT/t.csv", "C:\\t.csv"])
def test_a_saved_data_set_cannot_name_files_outside_of_its_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "t.csv").write_text("text\nsecret\n", encoding="utf-8")
    (tmp_path / "set").mkdir()
    state = {"_data_files": [{"filename": name.replace("ROOT", str(tmp_path))}]}
    (tmp_path / "set" / "state.json").write_text(json.dumps(state), encoding="utf-8")
    with pytest.raises(DataError, match="D85"):
        locate("set", tmp_path)
    (tmp_path / "set" / "dataset_dict.json").write_text('{"splits": ["../set"]}', encoding="utf-8")
    with pytest.raises(DataError, match="D85"):
        locate("set", tmp_path)


def shards(folder: Path, *parts: str) -> None:
    folder.mkdir()
    for part in parts:
        frame = pl.DataFrame({"text": [f"{part} one", f"{part} two"], "label": ["a", "b"]})
        frame.write_parquet(folder / f"{part}-00000-of-00001.parquet")


def test_parts_without_a_use_of_their_own_are_left_out_and_said(tmp_path: Path) -> None:
    shards(tmp_path / "imdb", "train", "test", "unsupervised")
    data = Data.model_validate({"source": "imdb"})
    streamed = stream(data, shape="labelled", base=tmp_path, folder=tmp_path / "work")
    rows = {split: pl.concat(streamed.frames(split))["text"].to_list() for split in streamed.rows}
    assert rows == {"test": ["test one", "test two"], "train": ["train one", "train two"]}
    assert [(warning.code, warning.values["parts"]) for warning in streamed.warnings] == [
        ("D86", "unsupervised")
    ]
    assert find("imdb/unsupervised*", tmp_path) == [tmp_path / "imdb" / "unsupervised-00000-of-00001.parquet"]
    for lang in ("en", "zh"):
        assert "{" not in "".join(map(str, streamed.warnings[0].as_dict(lang).values()))


def test_a_part_that_is_missing_is_not_made_of_the_others(tmp_path: Path) -> None:
    shards(tmp_path / "mnli", "train", "validation_matched")
    assert [file.part for file in locate("mnli", tmp_path, "train")] == ["train"]
    for pattern in ("mnli", "mnli/*.parquet"):
        with pytest.raises(DataError, match="D84"):
            locate(pattern, tmp_path, "validation")
    shards(tmp_path / "one", "train")
    with pytest.raises(DataError, match="D84"):
        locate("one", tmp_path, "validation")


def test_files_that_are_named_may_be_used_as_another_part(tmp_path: Path) -> None:
    shards(tmp_path / "mnli", "train", "validation", "validation_matched")
    for name in ("validation-", "validation_matched-"):
        (file,) = locate(f"mnli/{name}*.parquet", tmp_path, "test")
        assert file.path.name.startswith(name)
    shards(tmp_path / "other", "c4")
    assert len(locate("other", tmp_path, "test")) == 1


def test_lines_that_belong_together_become_one_table(shared_data: Path) -> None:
    (file,) = locate("mt_ntrex/ntrex.{en,zh-CN,de}.txt", shared_data)
    table = read(file)
    assert table.frame.columns == ["en", "zh-CN", "de"]
    assert (table.read, table.lines[-1]) == (1300, 1300)
    for column in ("en", "de"):
        one = read(shared_data / "mt_ntrex" / f"ntrex.{column}.txt").frame["text"]
        assert table.frame[column].to_list() == one.to_list()
    assert len(find("mt_ntrex/ntrex.{en,zh-CN,de}.txt", shared_data)) == 3
    assert sum(batch.read for batch in open_file(file, batch_bytes=1000).batches()) == 1300


def test_blank_lines_of_aligned_files_are_null_and_lengths_must_agree(tmp_path: Path) -> None:
    (tmp_path / "a.en").write_text("one\n\n\nfour", encoding="utf-8")
    (tmp_path / "a.de").write_bytes(b"eins\r\nzwei\r\n\r\n \r\n")
    (tmp_path / "a.fr").write_text("un\ndeux\n", encoding="utf-8")
    (file,) = locate("a.{en,de}", tmp_path)
    table = read(file)
    assert table.frame.rows() == [("one", "eins"), (None, "zwei"), ("four", None)]
    assert (table.lines, table.blank, table.read) == ((1, 2, 4), (3,), 4)
    with pytest.raises(DataError) as caught:
        read(locate("a.{en,fr}", tmp_path)[0])
    problem = caught.value.problems[0]
    assert (problem.code, problem.line, problem.values["count"], problem.values["other_count"]) == (
        "D42",
        3,
        2,
        4,
    )
    with pytest.raises(NotFoundError, match=r"a\.ru"):
        locate("a.{en,ru}", tmp_path)


def test_entries_of_a_description_become_files_with_fields(shared_data: Path, tmp_path: Path) -> None:
    recipes = shared_data / "recipes_llama-factory" / "data" / "dataset_info.json"
    entries = json.loads(recipes.read_text("utf-8"))
    entries["kto_en_demo"]["num_samples"] = 7
    info = tmp_path / "dataset_info.json"
    info.write_text(json.dumps(entries), encoding="utf-8")
    for name in ("kto_en_demo", "dpo_en_demo"):
        source = shared_data / "pref_llamafactory_demo" / f"{name}.json"
        (tmp_path / source.name).write_bytes(source.read_bytes())
    (kto,) = locate("dataset_info.json#kto_en_demo", tmp_path)
    assert (kto.limit, kto.fields["messages"], kto.fields["desirable"]) == (7, "messages", "label")
    assert kto.fields["role_tag"] == "role"
    (dpo,) = locate("dataset_info.json#dpo_en_demo", tmp_path)
    assert {
        "messages": "conversations",
        "chosen": "chosen",
        "rejected": "rejected",
    }.items() <= dpo.fields.items()
    assert find("dataset_info.json#dpo_en_demo", tmp_path) == [tmp_path / "dpo_en_demo.json", info]


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ("dataset_info.json", "D92"),
        ("dataset_info.json#identiti", "D43"),
        ("dataset_info.json#alpaca_en", "D44"),
        ("dataset_info.json#identity", "D01"),
        ("damaged.json#identity", "D45"),
    ],
)
def test_entries_that_cannot_be_used_say_why(
    shared_data: Path, tmp_path: Path, entry: str, code: str
) -> None:
    content = (shared_data / "recipes_llama-factory" / "data" / "dataset_info.json").read_bytes()
    (tmp_path / "dataset_info.json").write_bytes(content)
    (tmp_path / "damaged.json").write_bytes(content[:100])
    with pytest.raises(TunesmithError) as caught:
        locate(entry, tmp_path)
    assert [problem.code for problem in caught.value.problems] == [code]
    for lang in ("en", "zh"):
        assert "{" not in "".join(map(str, caught.value.problems[0].as_dict(lang).values()))


def test_every_file_that_is_read_is_named(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        (tmp_path / name).write_text("text,label\nx,y\n", encoding="utf-8")
    data = Data.model_validate({"source": {"train": ["a.csv", "b*.csv"], "test": "c.csv"}})
    paths = source_paths(data, tmp_path)
    assert paths == {"train": [tmp_path / "a.csv", tmp_path / "b.csv"], "test": [tmp_path / "c.csv"]}
    with pytest.raises(NotFoundError):
        find("x" * 5000, tmp_path)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("dev.jsonl", "test.jsonl", "train.jsonl"), ["validation", "test", "train"]),
        (("test.csv.gz", "train.csv.gz"), ["test", "train"]),
        (("more.jsonl", "test.jsonl", "train.jsonl"), [None, None, None]),
        (("test.jsonl",), [None]),
    ],
)
def test_files_that_are_all_called_like_parts_are_these_parts(
    tmp_path: Path, names: tuple[str, ...], expected: list[str | None]
) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"{}")
    assert [file.part for file in folders.data_files(tmp_path)] == expected
