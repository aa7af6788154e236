from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from tunesmith.core.errors import ModelError
from tunesmith.core.workspace import Workspace
from tunesmith.models import headers, inspection
from tunesmith.workflow import releases

WEIGHTS = "model.safetensors"
Change = Callable[[Path], object]


@pytest.fixture
def mine(shared_data: Path, tmp_path: Path) -> Path:
    """A sound model that may be spoiled."""
    folder = tmp_path / "mine"
    shutil.copytree(shared_data / "weights" / "stories260K-hf", folder)
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    return folder


def edit(name: str, **values: Any) -> Change:
    """Set keys of a JSON file."""

    def change(folder: Path) -> None:
        path = folder / name
        content = json.loads(path.read_text("utf-8")) if path.exists() else {}
        path.write_text(json.dumps({**content, **values}), "utf-8")

    return change


def header(change: Callable[[dict[str, Any]], object]) -> Change:
    """Change what the header of the weights says, and leave their bytes."""

    def spoil(folder: Path) -> None:
        content = (folder / WEIGHTS).read_bytes()
        end = 8 + struct.unpack("<Q", content[:8])[0]
        said = json.loads(content[8:end])
        change(said)
        text = json.dumps(said).encode()
        (folder / WEIGHTS).write_bytes(struct.pack("<Q", len(text)) + text + content[end:])

    return spoil


def first(said: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(value for name, value in said.items() if name != "__metadata__")
    return found


def weights(change: Callable[[bytes], bytes]) -> Change:
    return lambda folder: (folder / WEIGHTS).write_bytes(change((folder / WEIGHTS).read_bytes()))


def remote_code(folder: Path) -> None:
    (folder / "modeling_own.py").write_text("raise SystemExit('it ran')", "utf-8")
    edit("config.json", model_type="own", architectures=["OwnForCausalLM"],
         auto_map={"AutoModelForCausalLM": "modeling_own.OwnForCausalLM"})(folder)  # fmt: skip


def more_tokens(folder: Path) -> None:
    content = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    token = {"id": 600, "content": "<new>", "special": True, "single_word": False, "lstrip": False,
             "rstrip": False, "normalized": False}  # fmt: skip
    content["added_tokens"].append(token)
    (folder / "tokenizer.json").write_text(json.dumps(content), "utf-8")


def wrong_rank(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    edit("adapter_config.json", peft_type="LORA", r=4, base_model_name_or_path="other")(folder)
    name = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
    save_file({name: np.zeros((2, 64), np.float32)}, folder / "adapter_model.safetensors")


def link_out(folder: Path) -> None:
    secret = folder.parent / "secret.json"
    (folder / "LICENSE.llama2c").rename(secret)
    (folder / "LICENSE.llama2c").symlink_to(secret)


BAD: dict[str, tuple[Change, str, str]] = {
    "a pickle": (lambda f: (f / WEIGHTS).rename(f / "pytorch_model.bin"), "M50", "pytorch_model.bin"),
    "remote code": (remote_code, "M51", "config.json"),
    "a file cut short": (weights(lambda b: b[:-100]), "M52", WEIGHTS),
    "a file of nothing": (weights(lambda _: b""), "M52", WEIGHTS),
    "a header longer than the file": (weights(lambda b: b"\xff" * 8 + b[8:]), "M52", WEIGHTS),
    "a header that is nested": (
        weights(lambda _: struct.pack("<Q", 200_000) + b"[" * 200_000), "M52", WEIGHTS,
    ),
    "bytes after the tensors": (weights(lambda b: b + b"x"), "M52", WEIGHTS),
    "offsets beyond the file": (
        header(lambda s: first(s).update(data_offsets=[10**9, 10**9 + 131072])), "M52", WEIGHTS,
    ),
    "a shape that is not the size": (header(lambda s: first(s).update(shape=[10**6, 10**6])), "M52", WEIGHTS),
    "a negative shape": (header(lambda s: first(s).update(shape=[-1])), "M52", WEIGHTS),
    "an unknown dtype": (header(lambda s: first(s).update(dtype="F7")), "M52", WEIGHTS),
    "overlapping tensors": (header(lambda s: s.update(twice=first(s))), "M52", WEIGHTS),
    "an index of lost files": (
        edit("model.safetensors.index.json", weight_map={"a": "../../other.safetensors"}),
        "M52", "index.json",
    ),
    "ids beyond the embedding": (more_tokens, "M53", "tokenizer.json"),
    "an adapter of another rank": (wrong_rank, "M54", "mine"),
    "absurd width": (edit("config.json", hidden_size=10**6), "M55", "config.json"),
    "absurd depth": (edit("config.json", num_hidden_layers=10**9), "M55", "config.json"),
    "a link to a file elsewhere": (link_out, "M56", "LICENSE.llama2c"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_folder_is_refused_with_its_file_and_nothing_is_kept(
    mine: Path, tmp_path: Path, case: str
) -> None:
    change, code, file = BAD[case]
    change(mine)
    workspace = Workspace(tmp_path / ".tunesmith")
    with pytest.raises(ModelError) as caught:
        releases.add(str(mine), workspace)
    problem = caught.value.problems[0]
    assert problem.code == code
    assert str(problem.file).endswith(file)
    assert all("{" not in part for part in problem.as_dict("zh").values() if part)
    assert not workspace.root.exists()


def test_code_is_left_aside_when_transformers_has_the_class_itself(mine: Path, tmp_path: Path) -> None:
    (mine / "modeling_own.py").write_text("raise SystemExit('it ran')", "utf-8")
    edit("config.json", auto_map={"AutoModelForCausalLM": "modeling_own.LlamaForCausalLM"})(mine)
    added = releases.add(str(mine), Workspace(tmp_path / ".tunesmith"))
    assert not list(Path(added.folder).glob("*.py"))


def test_a_snapshot_in_the_cache_of_a_hub_may_link_to_its_blobs(mine: Path, tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "hub" / "blobs", tmp_path / "hub" / "snapshots" / "abc"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for path in mine.iterdir():
        shutil.copyfile(path, blobs / path.name)
        (snapshot / path.name).symlink_to(Path("../../blobs") / path.name)
    inspection.no_links_out(snapshot)


def test_an_adapter_of_other_widths_than_its_base_is_refused(mine: Path, tmp_path: Path) -> None:
    module = "model.layers.0.self_attn.q_proj"
    for width, fits in ((64, True), (48, False)):
        folder = tmp_path / str(width)
        folder.mkdir()
        tensors = {f"base_model.model.{module}.lora_A.weight": np.zeros((2, width), np.float32)}
        save_file(tensors, folder / "adapter_model.safetensors")
        if fits:
            inspection.fits_base(folder, mine)
            continue
        with pytest.raises(ModelError) as caught:
            inspection.fits_base(folder, mine)
        assert caught.value.problems[0].code == "M54"


def test_a_sound_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    save_file({"a": np.zeros((3, 2), np.float16), "none": np.zeros((0, 4), np.int8)}, tmp_path / WEIGHTS)
    found = {tensor.name: tensor.shape for tensor in headers.read(tmp_path / WEIGHTS)}
    assert found == {"a": (3, 2), "none": (0, 4)}
