"""Adapters that others wrote are taken in with their base, listed, and refused with a wrong one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

import tunesmith
from tunesmith.core.errors import TunesmithError
from tunesmith.core.workspace import Workspace
from tunesmith.models import adapter_config, adapters, card
from tunesmith.models.card import Base, Card
from tunesmith.models.resolve import weights_digest
from tunesmith.workflow import adopting, exporting, releases

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
IDS = torch.tensor([[1, 5, 9, 30, 44, 7, 80]])


@pytest.fixture
def base(shared_data: Path, tmp_path: Path) -> Path:
    """A copy of a small story teller."""
    folder = tmp_path / "stories"
    shutil.copytree(shared_data / "weights" / "stories260K-hf", folder)
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / ".tunesmith")


def written(base: Path, folder: Path, **settings: Any) -> Any:
    """What the peft library writes of an adapter, and the model with it."""
    torch.manual_seed(2)
    module = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    given = {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM"}
    theirs = get_peft_model(module, LoraConfig(**{**given, **settings})).eval()
    for name, parameter in theirs.named_parameters():
        if "lora_" in name:
            nn.init.normal_(parameter, std=0.2)
    theirs.save_pretrained(str(folder))
    return theirs


def refused(*args: Any, **settings: Any) -> tuple[str, Any]:
    with pytest.raises(TunesmithError) as caught:
        releases.add(*args, **settings)
    problem = caught.value.problems[0]
    return problem.code, problem


@pytest.mark.parametrize("settings", [{}, {"rank_pattern": {"q_proj": 2}}], ids=["plain", "ranks"])
def test_a_strangers_adapter_becomes_a_release_that_says_the_same(
    base: Path, tmp_path: Path, workspace: Workspace, settings: Any
) -> None:
    theirs = written(base, tmp_path / "adapter", **settings)
    release = releases.add(str(tmp_path / "adapter"), workspace, name="tuned", base=str(base))
    model: Any = tunesmith.load(release.label, workspace=workspace)
    with torch.inference_mode():
        found, expected = model.module(input_ids=IDS).logits, theirs(input_ids=IDS).logits
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    assert card.read(Path(release.folder)).base == Base(
        name="stories", folder=str(base), weights=weights_digest(base)
    )


def test_adapters_of_one_base_stand_side_by_side_until_removed(
    base: Path, tmp_path: Path, workspace: Workspace
) -> None:
    for rank in (2, 4):
        written(base, tmp_path / f"adapter-{rank}", r=rank, use_rslora=rank == 4)
        releases.add(str(tmp_path / f"adapter-{rank}"), workspace, base=str(base))
    found = {row["name"]: row for row in adopting.of_base(str(base), workspace)}
    assert set(found) == {"adapter-2@1", "adapter-4@1"}
    small, large = found["adapter-2@1"], found["adapter-4@1"]
    assert (small["rank"], small["method"], large["rank"], large["method"]) == (2, "lora", 4, "rslora")
    assert large["parameters"] == 2 * small["parameters"]
    releases.remove("adapter-2@1", workspace)
    assert [row["name"] for row in adopting.of_base(str(base), workspace)] == ["adapter-4@1"]


def test_a_base_of_another_shape_is_refused(base: Path, tmp_path: Path, workspace: Workspace) -> None:
    written(base, tmp_path / "adapter")
    other = tmp_path / "other"
    shutil.copytree(base, other)
    sizes = {"hidden_size": 32, "num_attention_heads": 2, "num_hidden_layers": 5, "intermediate_size": 64}
    LlamaForCausalLM(LlamaConfig(**sizes, vocab_size=512)).save_pretrained(other)
    code, problem = refused(str(tmp_path / "adapter"), workspace, base=str(other))
    assert code == "M54"
    assert "q_proj" in str(problem.values["reason"])
    assert not workspace.database.exists()


def test_a_base_with_other_weights_than_it_was_trained_on_is_refused(
    base: Path, tmp_path: Path, workspace: Workspace
) -> None:
    folder = tmp_path / "adapter"
    module = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    adapters.add(module, rank=2, alpha=4)
    folder.mkdir()
    adapters.save(module, folder, base=str(base), task_type="CAUSAL_LM")
    own = Base(name="stories", folder="/gone", weights="0" * 64)
    Card(kind="language", task="chat", base=own).save(folder)
    code, problem = refused(str(folder), workspace, base=str(base))
    assert code == "M59"
    assert problem.values["expected"] == "0" * 64
    Card(kind="language", base=Base(name="s", folder="/gone", weights=weights_digest(base))).save(folder)
    assert releases.add(str(folder), workspace, base=str(base)).label == "adapter@1"


def test_a_base_that_is_not_here_is_asked_for(base: Path, tmp_path: Path, workspace: Workspace) -> None:
    written(base, tmp_path / "adapter")
    config = tmp_path / "adapter" / adapter_config.CONFIG
    said = json.loads(config.read_text("utf-8"))
    config.write_text(json.dumps(said | {"base_model_name_or_path": "nowhere"}), "utf-8")
    assert refused(str(tmp_path / "adapter"), workspace)[0] == "M62"
    assert refused(str(base), workspace, base="minilm")[0] == "U12"


def test_an_export_of_an_adapter_on_a_planted_base_is_refused(
    base: Path, tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(base, tmp_path / "adapter")
    releases.add(str(tmp_path / "adapter"), workspace, name="tuned", base=str(base))
    right = exporting.loading.load

    def planted(resolved: Any) -> Any:
        """What was exported has the adapter on weights that were not its base's."""
        model = right(resolved)
        if resolved.folder.parent != workspace.models:
            with torch.no_grad():
                model.module.model.layers[0].mlp.down_proj.weight += 0.05
        return model

    monkeypatch.setattr(exporting.loading, "load", planted)
    with pytest.raises(TunesmithError) as caught:
        exporting.export("tuned", workspace, tmp_path / "out")
    assert caught.value.problems[0].code == "M75"
    assert not (tmp_path / "out").exists()
