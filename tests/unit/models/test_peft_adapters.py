"""Adapters of the peft library are put on, written, read and folded in; what does not fit is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import IA3Config, LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

from tunesmith.core.errors import ModelError
from tunesmith.models import adapter_config, adapter_folder, adapters, peft_adapters

# peft asks transformers by a name that transformers is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

IDS = torch.tensor([[1, 5, 9, 30, 44, 7, 80]])
METHODS = {
    "dora": lambda module: peft_adapters.add_dora(module, rank=4, alpha=8, dropout=0.0, targets="all-linear"),
    "ia3": lambda module: peft_adapters.add_ia3(module, targets="family", feedforward=[]),
}
methods = pytest.mark.parametrize("method", METHODS)


@pytest.fixture
def stories(shared_data: Path) -> Any:
    """Makes the same small model each time."""
    folder = shared_data / "weights" / "stories260K-hf"
    return lambda: AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def gpt2() -> nn.Module:
    torch.manual_seed(0)
    config = GPT2Config(n_layer=2, n_head=2, n_embd=32, vocab_size=100, bos_token_id=0, eos_token_id=0)
    return GPT2LMHeadModel(config).eval()


def logits(module: nn.Module) -> Tensor:
    with torch.inference_mode():
        found: Tensor = module(input_ids=IDS).logits
    return found


def learn(module: nn.Module) -> None:
    torch.manual_seed(1)
    for parameter in module.parameters():
        if parameter.requires_grad:
            with torch.no_grad():
                parameter += torch.randn(parameter.shape) * 0.1


@methods
def test_a_fresh_adapter_changes_nothing_and_only_it_learns(stories: Any, method: str) -> None:
    module = stories()
    METHODS[method](module)
    torch.testing.assert_close(logits(module), logits(stories()), rtol=0, atol=1e-5)
    learning = [name for name, parameter in module.named_parameters() if parameter.requires_grad]
    assert learning
    assert all("lora_" in name or "ia3_" in name for name in learning)


@methods
def test_what_is_written_is_read_by_peft_and_folds_in_to_the_same_logits(
    stories: Any, tmp_path: Path, method: str
) -> None:
    module = stories()
    METHODS[method](module)
    learn(module)
    expected = logits(module)
    assert (expected - logits(stories())).abs().max() > 0.01
    assert adapter_folder.save(module, tmp_path, base="base", task_type="CAUSAL_LM")
    theirs = PeftModel.from_pretrained(stories(), str(tmp_path)).eval()
    torch.testing.assert_close(logits(theirs), expected, rtol=0, atol=1e-5)
    folded = adapter_folder.applied(stories(), tmp_path)
    torch.testing.assert_close(logits(folded), expected, rtol=0, atol=1e-4)
    assert set(folded.state_dict()) == set(stories().state_dict())
    assert not peft_adapters.is_on(folded)


@methods
def test_maps_that_lie_the_other_way_round_are_adapted_too(tmp_path: Path, method: str) -> None:
    module = gpt2()
    METHODS[method](module)
    learn(module)
    expected = logits(module)
    adapter_folder.save(module, tmp_path, base="base", task_type="CAUSAL_LM")
    torch.testing.assert_close(logits(adapter_folder.applied(gpt2(), tmp_path)), expected, rtol=0, atol=1e-4)


@methods
def test_the_same_adapter_is_written_in_the_same_bytes(stories: Any, tmp_path: Path, method: str) -> None:
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        module = stories()
        torch.manual_seed(3)
        METHODS[method](module)
        adapter_folder.save(module, tmp_path / name, base="base", task_type="CAUSAL_LM")
        found.append(
            [
                (tmp_path / name / file).read_bytes()
                for file in (adapter_config.CONFIG, adapter_config.WEIGHTS)
            ]
        )
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "config",
    [
        LoraConfig(r=4, lora_alpha=6, target_modules=["q_proj", "v_proj"], alpha_pattern={"q_proj": 64}),
        LoraConfig(r=4, lora_alpha=6, target_modules=["q_proj", "v_proj"], rank_pattern={"q_proj": 2}),
        LoraConfig(r=4, lora_alpha=6, target_modules=["q_proj"], modules_to_save=["norm"]),
        LoraConfig(r=4, lora_alpha=6, target_modules=["q_proj"], use_rslora=True),
        LoraConfig(r=4, lora_alpha=6, target_modules=r".*\.1\..*q_proj"),
        LoraConfig(r=4, lora_alpha=6, target_modules=["q_proj"], layers_to_transform=[0]),
        IA3Config(target_modules=["k_proj", "down_proj"], feedforward_modules=["down_proj"]),
    ],
    ids=["alpha_pattern", "rank_pattern", "modules_to_save", "rslora", "pattern", "layers", "ia3"],
)
def test_what_others_wrote_with_peft_says_the_same_here(stories: Any, tmp_path: Path, config: Any) -> None:
    config.task_type = "CAUSAL_LM"
    theirs = get_peft_model(stories(), config).eval()
    learn(theirs)
    theirs.save_pretrained(str(tmp_path))
    folded = adapter_folder.applied(stories(), tmp_path)
    torch.testing.assert_close(logits(folded), logits(theirs), rtol=0, atol=1e-4)


def refused(module: nn.Module, folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        adapter_folder.applied(module, folder)
    return caught.value.problems[0].code


@methods
def test_an_adapter_of_another_model_is_refused(stories: Any, tmp_path: Path, method: str) -> None:
    module = gpt2()
    METHODS[method](module)
    adapter_folder.save(module, tmp_path, base="base", task_type="CAUSAL_LM")
    assert refused(stories(), tmp_path) == "M21"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"peft_type": "ADAPTION_PROMPT"}, "M21"),
        ({"megatron_config": {"a": 1}, "megatron_core": "antigravity"}, "M21"),
        ({"layers_to_transform": [0], "target_modules": ["nowhere"]}, "M21"),
    ],
    ids=["kind", "import", "layers"],
)
def test_a_kind_that_cannot_be_folded_in_or_would_run_code_is_refused(
    stories: Any, tmp_path: Path, changes: dict[str, Any], code: str
) -> None:
    module = stories()
    METHODS["dora"](module)
    adapter_folder.save(module, tmp_path, base="base", task_type="CAUSAL_LM")
    said = json.loads((tmp_path / adapter_config.CONFIG).read_text("utf-8"))
    (tmp_path / adapter_config.CONFIG).write_text(json.dumps(said | changes), "utf-8")
    assert refused(stories(), tmp_path) == code


def test_weights_that_are_not_all_there_are_refused(stories: Any, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    module = stories()
    METHODS["dora"](module)
    adapter_folder.save(module, tmp_path, base="base", task_type="CAUSAL_LM")
    weights = load_file(tmp_path / adapter_config.WEIGHTS)
    weights.pop(sorted(weights)[0])
    save_file(weights, tmp_path / adapter_config.WEIGHTS)
    assert refused(stories(), tmp_path) == "M21"
    (tmp_path / adapter_config.WEIGHTS).rename(tmp_path / "adapter_model.bin")
    assert refused(stories(), tmp_path) == "M08"


class Layers(nn.Module):
    """Torch's own encoder layers, whose fast path reads weights past what is put on their maps."""

    def __init__(self) -> None:
        super().__init__()
        self.config = type("Config", (), {"model_type": "own"})()
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, dropout=0.0)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def get_output_embeddings(self) -> None:
        return None


@pytest.mark.parametrize("method", ["lora", "dora"])
def test_adapters_count_in_torchs_own_layers_when_answering_as_in_training(method: str) -> None:
    torch.manual_seed(0)
    module, x = Layers(), torch.randn(2, 5, 16)
    if method == "lora":
        adapters.add(module, rank=2, alpha=4)
    else:
        peft_adapters.add_dora(module, rank=2, alpha=4, dropout=0.0, targets="all-linear")
    learn(module)
    training = module.layers(x).detach()
    module.eval()
    with torch.inference_mode():
        answering = module.layers(x)
    torch.testing.assert_close(answering, training, rtol=0, atol=1e-5)
    assert (training - Layers().layers(x)).abs().max() > 0.01
