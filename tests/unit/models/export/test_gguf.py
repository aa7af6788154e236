"""GGUF files: every family comes back with its logits, and what was planted in a file is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from tunesmith.core.errors import ModelError
from tunesmith.core.workspace import Workspace
from tunesmith.models import gguf_reader, loading, tokenizer
from tunesmith.models.export import certificate, gguf_layout, gguf_writer
from tunesmith.models.language import LanguageModel
from tunesmith.models.resolve import Resolved
from tunesmith.models.scratch import contract
from tunesmith.workflow import export_formats, exporting

TEXTS = ["hello world, this is text", "你好，世界。另一段文字 123"] * 40
SHAPE = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4}
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {
        **SHAPE,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "rope_theta": 50_000.0,
        "attention_bias": True,
    },
    "mistral": {**SHAPE, "num_key_value_heads": 2, "sliding_window": None},
    "qwen2": {**SHAPE, "num_key_value_heads": 2, "tie_word_embeddings": True},
    "qwen3": {**SHAPE, "num_key_value_heads": 2, "head_dim": 32},
    "gpt2": {"n_embd": 64, "n_layer": 2, "n_head": 4, "bos_token_id": 1, "eos_token_id": 2},
}


@pytest.fixture(scope="module")
def stories(shared_data: Path) -> LanguageModel:
    found = loading.load(Resolved(name="stories", folder=shared_data / "weights" / "stories260K-hf"))
    if not isinstance(found, LanguageModel):
        pytest.fail("stories260K is a language model")
    return found


def made(family: str, **more: Any) -> LanguageModel:
    """A model of a family, its numbers by chance."""
    tokens = tokenizer.train(TEXTS, vocab=400)
    context = {"n_positions" if family == "gpt2" else "max_position_embeddings": 128}
    config = AutoConfig.for_model(
        family, vocab_size=tokens.get_vocab_size(), **{**context, **FAMILIES[family], **more}
    )
    torch.manual_seed(0)
    module: Any = AutoModelForCausalLM.from_config(config, dtype=torch.float32)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return LanguageModel(
        name=family, module=module.eval(), tokenizer=tokens, contract=contract(tokens), context=128
    )


def logits(module: Any, ids: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = module(input_ids=ids).logits
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_comes_back_with_its_logits(family: str, tmp_path: Path) -> None:
    model = made(family)
    ids = torch.randint(5, 300, (1, 40), generator=torch.Generator().manual_seed(1))
    expected = logits(model.module, ids)
    for precision, bound in (("f32", 1e-5), ("f16", 0.05), ("q8_0", 0.5)):
        path = tmp_path / f"{precision}.gguf"
        gguf_writer.write(model, path, precision=precision)  # type: ignore[arg-type]
        found = gguf_reader.read(path)
        assert (logits(found.module(), ids) - expected).abs().max() <= bound
        assert found.stops() == set(model.contract.stop_ids)
        assert found.template == model.contract.template


@pytest.mark.parametrize(
    ("family", "more"),
    [
        ("llama", {"rope_scaling": {"rope_type": "linear", "factor": 2.0}}),
        ("mistral", {"sliding_window": 32}),
    ],
)
def test_what_the_format_cannot_say_is_refused(family: str, more: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        gguf_writer.write(made(family, **more), tmp_path / "x.gguf")
    problem = error.value.problems[0]
    assert problem.code == "M76"
    causes = {lang: problem.as_dict(lang)["cause"] for lang in ("en", "zh")}
    assert causes["en"].startswith("it")
    assert causes["zh"].startswith("它")


def test_a_model_continues_alike_through_transformers_our_engine_and_gguf(
    stories: LanguageModel, tmp_path: Path
) -> None:
    text = "Once upon a time, there was a little girl named Lily."
    ids = torch.tensor([stories.tokenizer.encode(text).ids])
    module: Any = stories.module
    expected = module.generate(ids, max_new_tokens=60, do_sample=False)[0, ids.shape[1] :].tolist()
    said = stories.tokenizer.decode(expected)
    assert said.startswith("She loved to play")
    assert stories.generate(text, max_new_tokens=60).strip() == said.strip()
    gguf_writer.write(stories, tmp_path / "s.gguf", precision="f32")
    again: Any = gguf_reader.read(tmp_path / "s.gguf").module()
    found = again.generate(ids, max_new_tokens=60, do_sample=False)[0, ids.shape[1] :].tolist()
    assert found == expected


def shuffled(model: LanguageModel) -> LanguageModel:
    """Two rows of one matrix change places."""
    module: Any = AutoModelForCausalLM.from_config(model.module.config, dtype=torch.float32)  # type: ignore[no-untyped-call]
    state = dict(model.module.state_dict())
    name = next(name for name in state if name.endswith("layers.1.mlp.down_proj.weight"))
    order = torch.arange(len(state[name]))
    order[[3, 40]] = order[[40, 3]]
    module.load_state_dict({**state, name: state[name][order]})
    return replace(model, module=module.eval())


def turned(model: LanguageModel) -> LanguageModel:
    """The base of the rotary positions is another."""
    values = {
        **model.module.config.to_dict(),
        "rope_parameters": {"rope_type": "default", "rope_theta": 500.0},
    }  # type: ignore[operator, union-attr]
    config = AutoConfig.for_model(values.pop("model_type"), **values)
    module: Any = AutoModelForCausalLM.from_config(config, dtype=torch.float32)  # type: ignore[no-untyped-call]
    module.load_state_dict(model.module.state_dict())
    return replace(model, module=module.eval())


FAULTS: dict[str, tuple[Callable[[LanguageModel], LanguageModel], str]] = {
    "a shuffled row": (shuffled, "logits"),
    "another base of positions": (turned, "logits"),
    "a missing stop token": (
        lambda m: replace(m, contract=replace(m.contract, stop_ids=(9,), eos="")),
        "stop tokens",
    ),
    "a changed template": (
        lambda m: replace(m, contract=replace(m.contract, template=m.contract.template + " ")),
        "chat template",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_refused_and_nothing_is_left(
    fault: str, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant, said = FAULTS[fault]
    write = gguf_writer.write
    monkeypatch.setattr(gguf_writer, "write", lambda model, path, **how: write(plant(model), path, **how))
    source, target = shared_data / "weights" / "stories260K-hf", tmp_path / "out"
    with pytest.raises(ModelError) as error:
        exporting.export(str(source), Workspace(tmp_path / "w"), target, to="gguf", precision="f32")
    assert error.value.problems[0].code == "M75"
    assert said in error.value.problems[0].values["faults"]
    assert not target.exists()


@pytest.mark.parametrize("precision", ["f16", "q8_0", "q4_0"])
def test_a_shuffled_row_is_found_however_coarse_the_weights(
    precision: certificate.Precision, stories: LanguageModel, tmp_path: Path
) -> None:
    way = export_formats.way("gguf", Resolved(name="stories", folder=tmp_path), precision)
    way.write(stories, tmp_path)
    assert way.read(stories, tmp_path)[1] == ()
    way.write(shuffled(stories), tmp_path)
    assert way.read(stories, tmp_path)[1] == ("weights",)


@pytest.mark.parametrize("precision", ["f32", "f16", "q8_0", "q4_0"])
def test_a_good_export_brings_its_certificate(
    precision: certificate.Precision, shared_data: Path, tmp_path: Path
) -> None:
    source, target = shared_data / "weights" / "stories260K-hf", tmp_path / "out"
    made = exporting.export(str(source), Workspace(tmp_path / "w"), target, to="gguf", precision=precision)
    assert (target / certificate.FILE).is_file()
    said = (target / "README.md").read_text("utf-8")
    assert said.startswith('---\npipeline_tag: "text-generation"\nlibrary_name: "gguf"\n')
    assert made.digest in said
    assert made.faults == ()
    assert made.agreement >= {"f32": 1.0, "f16": 0.99, "q8_0": 0.95, "q4_0": 0.6}[precision]


def test_a_damaged_file_is_told(stories: LanguageModel, tmp_path: Path) -> None:
    path = tmp_path / "s.gguf"
    gguf_writer.write(stories, path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"GGUF", b"", whole[:4] + b"\xff" * 60 + whole[64:]):
        path.write_bytes(content)
        with pytest.raises(ModelError) as error:
            gguf_reader.read(path)
        assert error.value.problems[0].code == "M77"


def test_a_base_of_rotations_that_is_a_whole_number_is_written_as_a_float() -> None:
    config = AutoConfig.for_model("qwen3", **FAMILIES["qwen3"], rope_theta=1_000_000).to_dict()
    config |= {"rope_theta": 1_000_000, "rms_norm_eps": 1}
    found = gguf_layout.settings(config)
    assert [type(found[f]) for f in ("rope.freq_base", "attention.layer_norm_rms_epsilon")] == [float, float]
    assert found["rope.freq_base"] == 1e6


@pytest.mark.parametrize(
    ("name", "file"),
    [("topics@3", "topics"), ("Qwen/Qwen3-0.6B", "Qwen3-0.6B"), ("hf:Qwen/Qwen3-0.6B@main", "Qwen3-0.6B")],
)
def test_a_file_is_called_like_the_model_alone(name: str, file: str) -> None:
    model: Any = SimpleNamespace(name=name)
    assert export_formats._file(model) == f"{file}.gguf"
