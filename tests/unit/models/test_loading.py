"""Loading: safetensors alone, nothing half fitting, adapters only onto the base they were trained on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tunesmith.core.errors import ModelError
from tunesmith.models import adapters, loading
from tunesmith.models.card import Base, Card
from tunesmith.models.contract import PromptContract
from tunesmith.models.language import LanguageModel
from tunesmith.models.resolve import Resolved, weights_digest


@pytest.fixture
def folder(shared_data: Path, tmp_path: Path) -> Path:
    """A model that may be damaged."""
    made = tmp_path / "stories"
    made.mkdir()
    for path in (shared_data / "weights" / "stories260K-hf").iterdir():
        (made / path.name).write_bytes(path.read_bytes())
    return made


def load(folder: Path | None) -> LanguageModel:
    model = loading.load(Resolved(name="own", folder=folder))
    assert isinstance(model, LanguageModel)
    return model


def code(folder: Path | None) -> str:
    with pytest.raises(ModelError) as caught:
        loading.load(Resolved(name="own", folder=folder))
    return caught.value.problems[0].code


def test_a_model_is_in_float32_and_does_not_learn_by_itself(folder: Path) -> None:
    model = load(folder)
    assert {parameter.dtype for parameter in model.module.parameters()} == {torch.float32}
    assert not model.module.training
    assert model.context == 512
    assert model.digest == weights_digest(folder)


def _config(**changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        (folder / "config.json").write_text(json.dumps({**config, **changes}), "utf-8")

    return change


def _pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _cut_off(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:5000])


def _remote_code(folder: Path) -> None:
    (folder / "own.py").write_text("raise SystemExit('remote code was run')", "utf-8")
    auto = {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"}
    _config(auto_map=auto, model_type="own-type")(folder)


DAMAGES = {
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "M09"),
    "only pickled weights": (_pickled, "M50"),
    "cut off": (_cut_off, "M52"),
    "another width": (_config(hidden_size=32, head_dim=4), "M09"),
    "more layers than weights": (_config(num_hidden_layers=6), "M09"),
    "an unknown kind": (_config(model_type="no-such-model"), "M09"),
    "remote code": (_remote_code, "M51"),
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), "M05"),
    "no config": (lambda f: (f / "config.json").unlink(), "M04"),
    "a broken contract": (lambda f: (f / "contract.json").write_text("{}", "utf-8"), "M11"),
}  # fmt: skip


@pytest.mark.parametrize(("damage", "told"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_folder_is_told_and_nothing_of_it_is_run(
    folder: Path, damage: Callable[[Path], None], told: str
) -> None:
    damage(folder)
    assert code(folder) == told


def test_what_has_no_task_yet_cannot_answer(tmp_path: Path) -> None:
    assert code(None) == "M13"
    (tmp_path / "config.json").write_text('{"architectures": ["BertModel"]}', "utf-8")
    assert code(tmp_path) == "M13"


@pytest.fixture
def adapted(folder: Path, tmp_path: Path) -> Path:
    """An adapter on the model in `folder`, as a training writes it."""
    module = loading.language_module(folder)
    adapters.add(module, rank=4, alpha=8)
    for _, adapter in adapters.adapters(module):
        torch.nn.init.normal_(adapter.lora_B, std=0.1)
    made = tmp_path / "adapter"
    made.mkdir()
    adapters.save(module, made, base=str(folder), task_type="CAUSAL_LM")
    shutil.copy(folder / "config.json", made)
    shutil.copy(folder / "tokenizer.json", made)
    PromptContract(template="{{ messages[0].content }}").save(made)
    base = Base(name="stories", folder=str(folder), weights=weights_digest(folder))
    Card(kind="language", task="chat", context=512, base=base).save(made)
    return made


def test_an_adapter_is_put_onto_its_base(adapted: Path, folder: Path) -> None:
    module = loading.language_module(folder)
    adapters.load(module, adapted)
    ids = torch.tensor([[1, 5, 9]])
    with torch.inference_mode():
        expected, plain = module.eval()(input_ids=ids).logits, load(folder).module(input_ids=ids).logits
        found = load(adapted).module(input_ids=ids).logits
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    assert not torch.allclose(found, plain, atol=1e-2)


def test_an_adapter_whose_base_is_gone_is_told(adapted: Path, folder: Path) -> None:
    shutil.rmtree(folder)
    assert code(adapted) == "M22"


def test_an_adapter_whose_base_was_changed_is_told(adapted: Path, folder: Path) -> None:
    _config(rope_theta=20000.0)(folder)
    assert code(adapted) == "M07"


def test_an_adapter_can_be_trained_on_like_any_model(adapted: Path) -> None:
    ids = torch.tensor([[1, 5, 9]])
    with torch.inference_mode():
        found = loading.language_module(adapted).eval()(input_ids=ids).logits
        expected = load(adapted).module(input_ids=ids).logits
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
