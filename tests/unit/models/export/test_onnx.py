"""ONNX graphs: every kind of model comes back as it was, runs with nothing of ours, and faults are found."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

pytest.importorskip("onnxruntime", reason="needs the extra onnx: pip install 'tunesmith[onnx]'")
pytest.importorskip("onnxscript", reason="needs the extra onnx: pip install 'tunesmith[onnx]'")

import onnx
from onnx import numpy_helper

from tunesmith.core.errors import ModelError
from tunesmith.core.workspace import Workspace
from tunesmith.models import loading, tokenizer
from tunesmith.models.classifier import Classifier, TextClassifier
from tunesmith.models.embedder import TextEmbedder
from tunesmith.models.export import certificate, onnx_reader, onnx_readme, onnx_writer
from tunesmith.models.heads import Headed
from tunesmith.models.language import LanguageModel
from tunesmith.models.own import OwnConfig, OwnModel
from tunesmith.models.reader import TextReader
from tunesmith.models.reference import (
    DecoderConfig,
    EncoderConfig,
    ReferenceEncoder,
    ReferenceForCausalLM,
)
from tunesmith.models.resolve import Resolved
from tunesmith.models.scorer import Scorer, TextScorer
from tunesmith.models.scratch import contract
from tunesmith.models.tagger import TextTagger
from tunesmith.workflow import export_formats, exporting

TOKENS = tokenizer.train(["hello world, this is text", "你好，世界。另一段文字 123"] * 40, vocab=400)
SIZE: dict[str, Any] = {
    "vocab_size": TOKENS.get_vocab_size(),
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "max_position_embeddings": 64,
}


class Bag(nn.Module):
    """A module as a user writes it: it knows no mask."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(SIZE["vocab_size"], 16)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.table(ids).cumsum(1).tanh()


def encoder() -> nn.Module:
    return ReferenceEncoder(EncoderConfig(**SIZE))


def bag() -> nn.Module:
    return OwnModel(
        Bag(), OwnConfig(vocab_size=SIZE["vocab_size"], hidden_size=16, max_position_embeddings=64)
    )


def made(kind: str) -> Any:
    """A model of a kind, its numbers by chance and far enough from nothing to matter."""
    torch.manual_seed(0)
    model = new(kind)
    with torch.no_grad():
        for parameter in model.module.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return model


def new(kind: str) -> Any:
    shared: dict[str, Any] = {"name": kind, "tokenizer": TOKENS, "context": 64}
    if kind == "decoder":
        module = ReferenceForCausalLM(DecoderConfig(**SIZE)).eval()
        return LanguageModel(module=module, contract=contract(TOKENS), **shared)
    if kind == "classifier":
        return TextClassifier(module=Classifier(encoder(), 3), labels=("a", "b", "c"), **shared)
    if kind == "tagger":
        return TextTagger(module=Headed(encoder(), 3), labels=("x",), **shared)
    if kind == "reader":
        return TextReader(module=Headed(encoder(), 2), labels=(), **shared)
    if kind == "embedder":
        return TextEmbedder(module=encoder(), **shared)
    return TextScorer(module=Scorer(bag(), last=True, mean=3.0, spread=2.0), **shared)


def run(folder: Path) -> str:
    """What the program of the README prints."""
    code = re.findall(r"```python\n(.*?)```", (folder / onnx_readme.FILE).read_text("utf-8"), re.DOTALL)[0]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a classifier, written once: to follow a model takes seconds."""
    folder = tmp_path_factory.mktemp("classifier")
    way().write(made("classifier"), folder)
    return folder


def way() -> export_formats.Way:
    return export_formats.way("onnx", Resolved(name="mine", folder=Path()), "f32")


def held_to(model: Any, folder: Path) -> None:
    """What is in the folder says what the model says, on axes of any length, and names no path of here."""
    found, differs = way().read(model, folder)
    measured = certificate.measure(model, found)
    assert (differs, certificate.faults(measured, certificate.TOLERANCES["f32"])) == ((), ())
    graph = onnx.load(folder / onnx_writer.FILE)
    assert all(axis.dim_param for given in graph.graph.input for axis in given.type.tensor_type.shape.dim)
    assert str(Path(torch.__file__).parent) not in str(graph)


def test_a_classifier_comes_back_as_it_was_and_its_readme_runs(classifier: Path) -> None:
    model = made("classifier")
    held_to(model, classifier)
    assert run(classifier).strip() == str(model.classify(["What a lovely day", "今天天气很好"]))


# The others are followed in the same way, and each takes as long.
@pytest.mark.faults
@pytest.mark.parametrize("kind", ["decoder", "tagger", "reader", "embedder", "scorer without a mask"])
def test_every_other_kind_comes_back_as_it_was_and_its_readme_runs(kind: str, tmp_path: Path) -> None:
    model = made(kind)
    way().write(model, tmp_path)
    held_to(model, tmp_path)
    said = run(tmp_path)
    assert said.strip()
    if kind == "decoder":
        assert said.startswith("Once upon a time")
    if isinstance(model, TextScorer):
        expected = model.score(["What a lovely day", "今天天气很好"])
        np.testing.assert_allclose([float(n) for n in re.findall(r"-?\d+\.\d+", said)], expected, rtol=1e-3)


def shuffled(path: Path) -> None:
    """Two rows of the largest matrix of a layer change places."""
    graph = onnx.load(path)
    inside = [t for t in graph.graph.initializer if len(t.dims) == 2 and SIZE["vocab_size"] not in t.dims]
    chosen = max(inside, key=lambda tensor: len(tensor.raw_data))
    rows = numpy_helper.to_array(chosen).copy()
    rows[[3, 9]] = rows[[9, 3]]
    chosen.CopyFrom(numpy_helper.from_array(rows, chosen.name))
    onnx.save(graph, path)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(("plant", "code"), [(shuffled, "M75"), (truncated, "M79"), (None, None)])
def test_a_planted_fault_is_refused_and_nothing_is_left(
    plant: Any, code: str | None, classifier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(_: Any, path: Path) -> None:
        path.write_bytes((classifier / path.name).read_bytes())
        if plant:
            plant(path)

    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    monkeypatch.setattr(onnx_writer, "write", write)
    monkeypatch.setattr(exporting, "resolve", lambda name, _: Resolved(name=name, folder=tmp_path))
    monkeypatch.setattr(loading, "load", lambda _: made("classifier"))
    target = tmp_path / "out"
    if plant is None:
        kept = exporting.export("mine", Workspace(tmp_path / "w"), target, to="onnx")
        assert (kept.agreement, kept.faults, kept.format) == (1.0, (), "onnx")
        assert {p.name for p in target.iterdir()} >= {
            "model.onnx",
            "tokenizer.json",
            "README.md",
            "certificate.json",
        }
        return
    with pytest.raises(ModelError) as error:
        exporting.export("mine", Workspace(tmp_path / "w"), target, to="onnx")
    assert error.value.problems[0].code == code
    assert not target.exists()


def test_the_facts_that_a_user_needs_are_in_the_graph(classifier: Path) -> None:
    graph = onnx_reader.read(made("classifier"), classifier / onnx_writer.FILE).module
    facts = graph._session.get_modelmeta().custom_metadata_map
    assert facts["labels"] == '["a", "b", "c"]'
    assert facts["context"] == "64"


class Branching(Bag):
    """What it computes depends on what it reads."""

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        found = super().forward(ids)
        return found if bool(found.sum() > 0) else -found


@pytest.mark.faults
def test_what_no_graph_can_say_is_refused(tmp_path: Path) -> None:
    module = OwnModel(Branching(), OwnConfig(vocab_size=SIZE["vocab_size"], hidden_size=16))
    model = TextEmbedder(name="mine", module=module, tokenizer=TOKENS, context=64)
    with pytest.raises(ModelError) as error:
        onnx_writer.write(model, tmp_path / "x.onnx")
    assert error.value.problems[0].code == "M78"
