"""Of a data set's files on the hub those with rows are taken, and nothing that stands beside them."""

from __future__ import annotations

import pytest
from huggingface_hub.utils import filter_repo_objects

from tunesmith.data import hub

ROWS = [
    "data/train-00000-of-00001.parquet",
    "train.csv",
    "zh/test.jsonl.gz",
    "corpus/alice.txt",
    "squad.json",
    "real_estate.json",
    "data/us_state.json",
    "LICENSE_plates.csv",
    "readmes.csv",
]
BESIDE = [
    "README.md", "zh/readme.txt", ".gitattributes", "dataset_infos.json", "dataset_info.json", "license.txt",
    "zh/LICENCE.txt", "train/dataset_info.json", "train/state.json", "dataset_dict.json", "loader.py",
    "requirements.txt", "fetch_config.json",
]  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_rows_are_taken(name: str) -> None:
    assert _taken(name)


@pytest.mark.parametrize("name", BESIDE)
def test_what_stands_beside_them_is_not(name: str) -> None:
    assert not _taken(name)


def _taken(name: str) -> bool:
    return bool(
        list(
            filter_repo_objects([name], allow_patterns=list(hub.PATTERNS), ignore_patterns=list(hub.NO_ROWS))
        )
    )
