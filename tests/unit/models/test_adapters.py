"""Adapters compute what the peft library computes, read what it writes, and write what it reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

from tunesmith.core.errors import ModelError
from tunesmith.models import adapter_config, adapters, peft_adapters

# peft asks transformers by a name that transformers is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

IDS = torch.tensor([[1, 5, 9, 30, 44, 7, 80]])


def stories(shared_data: Path) -> nn.Module:
    """Linear layers, a tied head."""
    folder = shared_data / "weights" / "stories260K-hf"
    module: nn.Module = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return module.eval()


def gpt2(_: Path) -> nn.Module:
    """Conv1D layers, whose weights lie the other way round."""
    torch.manual_seed(0)
    config = GPT2Config(n_layer=2, n_head=2, n_embd=32, vocab_size=100, bos_token_id=0, eos_token_id=0)
    return GPT2LMHeadModel(config).eval()


Family = Callable[[Path], nn.Module]
families = pytest.mark.parametrize("family", [stories, gpt2])


def logits(module: nn.Module) -> Tensor:
    with torch.inference_mode():
        found: Tensor = module(input_ids=IDS).logits
    return found


def learn(module: nn.Module, part: str) -> None:
    """Give the adapters values, as training does."""
    torch.manual_seed(1)
    for name, parameter in module.named_parameters():
        if part in name:
            nn.init.normal_(parameter, std=0.1)


@families
def test_a_fresh_adapter_changes_nothing(shared_data: Path, family: Family) -> None:
    module = family(shared_data)
    before = logits(module)
    assert adapters.add(module, rank=4, alpha=8)
    assert torch.equal(logits(module), before)


@families
def test_only_the_adapters_learn_and_the_head_has_none(shared_data: Path, family: Family) -> None:
    module = family(shared_data)
    names = adapters.add(module, rank=4, alpha=8)
    learning = {name for name, parameter in module.named_parameters() if parameter.requires_grad}
    assert learning == {f"{name}.{part}" for name in names for part in ("lora_A", "lora_B")}
    assert not any("lm_head" in name for name in names)


@families
def test_what_is_written_is_read_by_peft_with_the_same_logits(
    shared_data: Path, family: Family, tmp_path: Path
) -> None:
    module = family(shared_data)
    adapters.add(module, rank=4, alpha=12)
    learn(module, "lora_")
    adapters.save(module, tmp_path, base="base", task_type="CAUSAL_LM")
    theirs = PeftModel.from_pretrained(family(shared_data), str(tmp_path)).eval()
    assert not torch.equal(logits(theirs), logits(family(shared_data)))
    torch.testing.assert_close(logits(theirs), logits(module), rtol=0, atol=1e-5)


@families
def test_what_peft_wrote_is_read_with_the_same_logits(
    shared_data: Path, family: Family, tmp_path: Path
) -> None:
    conv = family is gpt2
    config = LoraConfig(
        r=4, lora_alpha=6, target_modules="all-linear", task_type="CAUSAL_LM", fan_in_fan_out=conv
    )
    theirs = get_peft_model(family(shared_data), config).eval()
    learn(theirs, "lora_")
    theirs.save_pretrained(str(tmp_path))
    module = family(shared_data)
    adapters.load(module, tmp_path)
    torch.testing.assert_close(logits(module.eval()), logits(theirs), rtol=0, atol=1e-5)


@families
def test_folding_in_keeps_the_answers_and_leaves_no_adapter(shared_data: Path, family: Family) -> None:
    module = family(shared_data)
    adapters.add(module, rank=4, alpha=12)
    learn(module, "lora_")
    expected = logits(module)
    adapters.merge(module)
    assert not list(adapters.adapters(module))
    assert set(module.state_dict()) == set(family(shared_data).state_dict())
    torch.testing.assert_close(logits(module), expected, rtol=0, atol=1e-4)


def test_targets_may_name_the_layer(shared_data: Path) -> None:
    names = adapters.add(stories(shared_data), rank=2, alpha=4, targets=["layers.1.mlp.up_proj", "q_proj"])
    assert [name for name in names if "mlp" in name] == ["model.layers.1.mlp.up_proj"]
    assert sum("q_proj" in name for name in names) > 1


def test_layers_can_be_chosen_by_name(shared_data: Path) -> None:
    names = adapters.add(stories(shared_data), rank=2, alpha=4, targets=["q_proj", "v_proj"])
    assert {name.rpartition(".")[2] for name in names} == {"q_proj", "v_proj"}
    assert len(names) == 10


def test_a_name_that_no_layer_has_is_answered_with_those_there_are(shared_data: Path) -> None:
    with pytest.raises(ModelError) as caught:
        adapters.add(stories(shared_data), rank=2, alpha=4, targets=["q_prj"])
    assert caught.value.problems[0].code == "M20"
    assert "q_proj" in caught.value.problems[0].values["known"]


def test_dropout_is_for_training_only(shared_data: Path) -> None:
    module = stories(shared_data)
    adapters.add(module, rank=4, alpha=12, dropout=0.5)
    learn(module, "lora_")
    torch.testing.assert_close(logits(module.eval()), logits(module.eval()), rtol=0, atol=0)
    assert not torch.equal(logits(module.train()), logits(module.eval()))


def refused(module: nn.Module, folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        adapters.load(module, folder)
    assert caught.value.problems[0].code == "M21"
    return str(caught.value.problems[0].values["reason"])


def test_an_adapter_of_another_model_is_refused(shared_data: Path, tmp_path: Path) -> None:
    module = gpt2(shared_data)
    adapters.add(module, rank=4, alpha=12)
    adapters.save(module, tmp_path, base="base", task_type="CAUSAL_LM")
    refused(stories(shared_data), tmp_path)


@families
def test_with_rank_stabilisation_peft_computes_the_same(
    shared_data: Path, family: Family, tmp_path: Path
) -> None:
    module = family(shared_data)
    adapters.add(module, rank=4, alpha=12, rank_stabilised=True)
    assert {adapter.scale for _, adapter in adapters.adapters(module)} == {6.0}
    learn(module, "lora_")
    adapters.save(module, tmp_path, base="base", task_type="CAUSAL_LM")
    theirs = PeftModel.from_pretrained(family(shared_data), str(tmp_path)).eval()
    torch.testing.assert_close(logits(theirs), logits(module), rtol=0, atol=1e-5)
    again = family(shared_data)
    adapters.load(again, tmp_path)
    torch.testing.assert_close(logits(again), logits(module), rtol=0, atol=0)


@pytest.mark.parametrize("file", [adapter_config.CONFIG, adapter_config.WEIGHTS])
def test_a_damaged_adapter_is_told(shared_data: Path, tmp_path: Path, file: str) -> None:
    module = stories(shared_data)
    adapters.add(module, rank=4, alpha=12)
    adapters.save(module, tmp_path, base="base", task_type="CAUSAL_LM")
    (tmp_path / file).write_bytes(b"{}")
    refused(stories(shared_data), tmp_path)


def test_the_file_says_what_peft_needs(shared_data: Path, tmp_path: Path) -> None:
    module = stories(shared_data)
    adapters.add(module, rank=4, alpha=12, dropout=0.1)
    adapters.save(module, tmp_path, base="stories", task_type="CAUSAL_LM")
    said = json.loads((tmp_path / adapter_config.CONFIG).read_text("utf-8"))
    assert (said["r"], said["lora_alpha"], said["lora_dropout"]) == (4, 12, 0.1)
    assert said["base_model_name_or_path"] == "stories"


@pytest.mark.parametrize("library", [False, True])
def test_an_adapter_of_a_tied_head_leaves_the_embeddings_alone(tmp_path: Path, library: bool) -> None:
    module = gpt2(tmp_path)
    adapters.add(module, rank=4, alpha=8, targets=["lm_head"])
    learn(module, "lora_")
    wanted = logits(module)
    if library:
        adapters.save(module, tmp_path, base="x", task_type="CAUSAL_LM")
        merged = peft_adapters.merged(gpt2(tmp_path), tmp_path)
    else:
        merged = adapters.merge(module)
    torch.testing.assert_close(logits(merged), wanted)
    merged.save_pretrained(tmp_path / "saved")  # type: ignore[operator]
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "saved").eval()
    torch.testing.assert_close(logits(again), wanted)


@pytest.mark.parametrize("start", ["pissa", "olora", "pissa_niter_4", "loftq"])
def test_an_adapter_that_took_a_part_of_its_base_away_is_no_plain_one(start: str) -> None:
    assert adapter_config.is_plain({"peft_type": "LORA", "init_lora_weights": True})
    assert not adapter_config.is_plain({"peft_type": "LORA", "init_lora_weights": start})


def test_a_model_that_has_no_embeddings_takes_an_adapter_too() -> None:
    module = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    adapters.add(module, rank=2, alpha=4, targets=["0"])
    learn(module, "lora_")
    rows = torch.randn(3, 4)
    wanted = module(rows)
    torch.testing.assert_close(adapters.merge(module)(rows), wanted)
    assert not list(adapters.adapters(module))
