"""GGUF files that were exported come back as releases with the same tokens, logits and answers."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch

import tunesmith
from tunesmith.core.errors import ModelError
from tunesmith.core.workspace import Workspace
from tunesmith.models.export import gguf_writer
from tunesmith.models.export.certificate import prompts
from tunesmith.workflow import exporting, releases

TEXTS = ("Once upon a time, there was a cat.", "你好，世界。", "line\n\nline  \t 12345 é ▁", "")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / ".tunesmith")


@pytest.fixture
def exported(shared_data: Path, tmp_path: Path, workspace: Workspace) -> Path:
    """A small story teller in one file, in 32 bits."""
    source = tmp_path / "stories"
    shutil.copytree(shared_data / "weights" / "stories260K-hf", source)
    exporting.export(str(source), workspace, tmp_path / "out", to="gguf", precision="f32")
    return next((tmp_path / "out").glob("*.gguf"))


def test_a_file_becomes_a_release_that_says_the_same(
    exported: Path, tmp_path: Path, workspace: Workspace
) -> None:
    release = releases.add(str(exported), workspace)
    ours: Any = tunesmith.load(tmp_path / "stories", workspace=workspace)
    again: Any = tunesmith.load(release.label, workspace=workspace)
    for text in (*TEXTS, *map(str, prompts())):
        assert again.tokenizer.encode(text).ids == ours.tokenizer.encode(text).ids
        ids = ours.tokenizer.encode(text).ids
        assert again.tokenizer.decode(ids) == ours.tokenizer.decode(ids)
    ids = torch.tensor([[1, 5, 9, 30, 44, 7, 80]])
    with torch.inference_mode():
        expected = ours.module(input_ids=ids).logits
        torch.testing.assert_close(again.module(input_ids=ids).logits, expected, rtol=0, atol=1e-5)
    assert again.contract.stop_ids == ours.contract.stop_ids
    assert again.contract.template == ours.contract.template
    assert release.label == "stories@1"
    assert len(release.lineage["gguf"]) == 64


def test_the_embedded_model_comes_back(tmp_path: Path, workspace: Workspace) -> None:
    ours: Any = tunesmith.load("tiny-zh-en", workspace=workspace)
    gguf_writer.write(ours, tmp_path / "tiny.gguf", precision="f32")
    again: Any = tunesmith.load(
        releases.add(str(tmp_path / "tiny.gguf"), workspace).label, workspace=workspace
    )
    turns = [{"role": "user", "content": "你好，请讲一个故事。 Tell a story!"}]
    assert again.contract.encode(again.tokenizer, turns) == ours.contract.encode(ours.tokenizer, turns)
    assert again.chat(turns, max_new_tokens=12) == ours.chat(turns, max_new_tokens=12)


def refused(path: Path, workspace: Workspace) -> str:
    with pytest.raises(ModelError) as caught:
        releases.add(str(path), workspace)
    assert caught.value.problems[0].code == "M77"
    assert not workspace.database.exists()
    return str(caught.value.problems[0].values["reason"])


def test_what_is_not_one_of_our_layouts_is_refused(tmp_path: Path, workspace: Workspace) -> None:
    writer = gguf.GGUFWriter(tmp_path / "other.gguf", "mamba")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert "mamba" in refused(tmp_path / "other.gguf", workspace)
    (tmp_path / "damaged.gguf").write_bytes(b"GGUF damaged")
    assert refused(tmp_path / "damaged.gguf", workspace)
