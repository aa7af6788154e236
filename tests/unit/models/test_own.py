"""Models of the user's own: checked like a component, saved without code, found again or refused."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter

from tunesmith.core import recipe_file
from tunesmith.core.errors import ModelError, TunesmithError
from tunesmith.core.recipe import Own
from tunesmith.core.registry import load_code
from tunesmith.models import loading, own, readiness
from tunesmith.models.classifier import TextClassifier
from tunesmith.models.language import LanguageModel
from tunesmith.models.resolve import Resolved
from tunesmith.tasks.chat import Chat
from tunesmith.tasks.classify import Classify
from tunesmith.tasks.generate import Generate
from tunesmith.tasks.task import Learner, Start, Task

TEXTS = ("The parcel is late.", "快递三天没动了，什么时候能到？", "I was charged twice!") * 3

CODE = '''
import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM, LlamaModel


class States(nn.Module):
    """A recurrent network that returns hidden states."""

    def __init__(self, *, vocab: int, hidden: int = 16):
        super().__init__()
        self.embed = nn.Embedding(vocab, hidden)
        self.cells = nn.GRU(hidden, hidden, batch_first=True)

    def forward(self, ids):
        return self.cells(self.embed(ids))[0]


class Logits(States):
    """The same with logits, by the table of the embedding."""

    def __init__(self, *, vocab: int, context: int, hidden: int = 16):
        super().__init__(vocab=vocab, hidden=hidden)
        self.head = nn.Linear(hidden, vocab, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, ids):
        return self.head(super().forward(ids))


class Masked(nn.Module):
    """Takes the mean over all real tokens: an encoder."""

    def __init__(self, *, vocab: int, hidden: int = 16):
        super().__init__()
        self.embed = nn.Embedding(vocab, hidden)

    def forward(self, ids, mask):
        states = self.embed(ids)
        real = mask[..., None].float()
        return states + ((states * real).sum(1) / real.sum(1))[:, None]


class Ahead(States):
    """Looks at the next token, through a gate that is closed at first."""

    def __init__(self, *, vocab: int):
        super().__init__(vocab=vocab)
        self.gate = nn.Parameter(torch.zeros(16))

    def forward(self, ids):
        states = super().forward(ids)
        return states + self.gate * states.roll(-1, dims=1)


class Backwards(States):
    """Counts places from the end: what it says depends on how many tokens follow."""

    def forward(self, ids):
        return super().forward(ids) + torch.arange(ids.shape[1], 0, -1)[None, :, None]


class Flat(States):
    def forward(self, ids):
        return super().forward(ids).mean(1)


class Short(States):
    def forward(self, ids):
        return super().forward(ids) + torch.zeros(4, 16)


class Config(LlamaConfig):
    model_type = "mine"

    def __init__(self, *, hidden: int = 16, **settings):
        super().__init__(**{"hidden_size": hidden, "intermediate_size": 32, "num_hidden_layers": 1,
                            "num_attention_heads": 2, "num_key_value_heads": 2} | settings)


class Pretrained(LlamaForCausalLM):
    config_class = Config


class Reader(LlamaModel):
    """Has the settings of the library's own configuration."""


class Positional(nn.Module):
    def __init__(self, vocab):
        super().__init__()


class Fixed(nn.Module):
    def __init__(self, *, hidden: int = 16):
        super().__init__()


def function(*, vocab: int):
    return None
'''
WRITING = ("States", "Logits", "Pretrained")
READING = ("States", "Logits", "Masked", "Reader")


@pytest.fixture
def code(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "my_model.py"
    file.write_text(CODE, encoding="utf-8")
    sys.modules.pop("my_model", None)
    load_code(file)
    yield file
    sys.modules.pop("my_model", None)


def choice(name: str, **settings: Any) -> Own:
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    given = {**(sizes if name == "Reader" else {}), **settings}
    made: Own = TypeAdapter(Own).validate_python(
        {"code": f"my_model:{name}", "vocab": 320, "context": 64, **given}
    )
    return made


def learner(task: Task, name: str) -> Learner:
    labels = ("late", "charged") if task.name == "classify" else ()
    start = Start(source=choice(name), texts=TEXTS, labels=labels, seed=3, context=48)
    return task.build(start, lambda contract, tokens: contract)


def saved(task: Task, name: str, folder: Path) -> tuple[Learner, Path]:
    made = learner(task, name)
    folder.mkdir()
    task.save(made, folder)
    return made, folder


def load(folder: Path) -> Any:
    return loading.load(Resolved(name="mine", folder=folder))


def refused(action: Callable[[], object]) -> str:
    with pytest.raises(TunesmithError) as error:
        action()
    return error.value.problems[0].code


@pytest.mark.parametrize("name", WRITING)
@pytest.mark.parametrize("task", [Generate(), Chat()], ids=lambda task: task.name)
def test_a_saved_decoder_says_the_same(code: Path, tmp_path: Path, task: Task, name: str) -> None:
    made, folder = saved(task, name, tmp_path / "model")
    model = load(folder)
    assert isinstance(model, LanguageModel)
    assert not list(folder.glob("*.py"))
    ids = torch.tensor([[5, 6, 7, 8]])
    made.module.eval()
    with torch.inference_mode():
        assert torch.equal(model.module(input_ids=ids).logits, made.module(input_ids=ids).logits)
    assert isinstance(model.generate("The parcel", max_new_tokens=4), str)


@pytest.mark.parametrize("name", READING)
def test_a_saved_encoder_says_the_same_whatever_stands_beside_it(
    code: Path, tmp_path: Path, name: str
) -> None:
    made, folder = saved(Classify(), name, tmp_path / "model")
    model = load(folder)
    assert isinstance(model, TextClassifier)
    texts = ["The parcel is late.", "I", "快递三天没动了，什么时候能到？"]
    together = model.predict(texts)
    for i, text in enumerate(texts):
        assert model.predict([text])[0] == pytest.approx(together[i], abs=1e-5)
    weights = made.module.state_dict()
    assert all(torch.equal(value, weights[key]) for key, value in model.module.state_dict().items())


def test_a_decoder_becomes_an_encoder_without_its_head(code: Path, tmp_path: Path) -> None:
    _, folder = saved(Generate(), "States", tmp_path / "model")
    start = Start(
        source=Resolved(name="mine", folder=folder), texts=(), labels=("a", "b"), seed=1, context=None
    )
    made = Classify().build(start, lambda contract, tokens: contract)
    assert made.backbone.head is None
    (tmp_path / "classifier").mkdir()
    Classify().save(made, tmp_path / "classifier")
    assert load(tmp_path / "classifier").predict(["a"]).shape == (1, 2)


def test_the_same_seed_gives_the_same_weights(code: Path) -> None:
    one, other = learner(Generate(), "States").module, learner(Generate(), "States").module
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("name", ["Ahead", "Backwards", "Masked"])
def test_a_decoder_that_looks_ahead_is_refused(code: Path, name: str) -> None:
    assert refused(lambda: learner(Generate(), name)) == "M45"


def test_trying_a_model_leaves_its_weights_alone(code: Path) -> None:
    module = learner(Classify(), "Ahead").backbone
    module.add_head()
    assert readiness.looks_ahead(module) == 3
    assert not module.inner.gate.any()
    assert module.training


@pytest.mark.parametrize("name", ["Flat", "Short"])
def test_a_model_of_the_wrong_shape_is_refused(code: Path, name: str) -> None:
    assert refused(lambda: learner(Generate(), name)) == "M43"


def test_a_pretrained_model_without_logits_cannot_write(code: Path) -> None:
    assert refused(lambda: learner(Generate(), "Reader")) == "M43"
    assert refused(lambda: learner(Classify(), "Pretrained")) == "M43"


@pytest.mark.parametrize("name", ["Positional", "Fixed"])
def test_a_class_without_the_right_settings_is_refused_before_it_is_made(
    code: Path, tmp_path: Path, name: str
) -> None:
    assert refused(lambda: own.check(choice(name), tmp_path)) == "M43"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("hiden: 16", ("R03", 3, "hidden")),
        ("hidden: wide", ("R05", 3, None)),
        ("vocab_size: 400", ("R03", 3, "vocab")),
        ("vocab: 3", ("R05", 3, None)),
    ],
)
def test_wrong_settings_are_told_with_their_line(
    code: Path, tmp_path: Path, line: str, expected: tuple[str, int, str | None]
) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(
        f"task: generate\nmodel:\n  {line}\n  code: my_model:States\ndata: {{source: a.txt}}\n",
        encoding="utf-8",
    )
    recipe, problems = recipe_file.validate(recipe_file.parse(file))
    assert recipe is None
    assert [(p.code, p.line, p.values.get("close")) for p in problems] == [expected]


@pytest.mark.parametrize(
    ("named", "expected"),
    [("my_model:Missing", "R07"), ("no_such_module:Tiny", "R07"), ("my_model:function", "M43")],
)
def test_code_that_is_not_there_is_told(code: Path, tmp_path: Path, named: str, expected: str) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(
        f'task: generate\nmodel: {{code: "{named}"}}\ndata: {{source: a.txt}}\n', encoding="utf-8"
    )
    problems = recipe_file.validate(recipe_file.parse(file))[1]
    assert [(p.code, p.line) for p in problems] == [(expected, 2)]


def test_a_recipe_of_an_own_model_is_written_as_it_is_read(code: Path) -> None:
    made = choice("Logits", hidden=24)
    written = made.model_dump()
    assert (written["code"], written["vocab"], written["hidden"]) == ("my_model:Logits", 320, 24)
    assert TypeAdapter(Own).validate_python(written) == made


def test_a_model_whose_code_is_gone_is_refused(code: Path, tmp_path: Path) -> None:
    _, folder = saved(Generate(), "Logits", tmp_path / "model")
    sys.modules.pop("my_model")
    assert refused(lambda: load(folder)) == "M46"


def test_a_model_whose_code_has_changed_is_refused(code: Path, tmp_path: Path) -> None:
    _, folder = saved(Generate(), "Logits", tmp_path / "model")
    code.write_text(CODE + "\n", encoding="utf-8")
    assert refused(lambda: load(folder)) == "M47"


def test_code_in_the_folder_of_a_model_is_never_run(
    code: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, folder = saved(Generate(), "Logits", tmp_path / "model")
    sys.modules.pop("my_model")
    shutil.move(code, folder / "my_model.py")
    (folder / "evidence.py").write_text("raise SystemExit('it was run')", encoding="utf-8")
    # As if the command were given inside of the folder.
    monkeypatch.syspath_prepend(str(folder))
    assert refused(lambda: load(folder)) == "M46"
    assert "my_model" not in sys.modules


def test_a_card_cannot_name_something_that_is_no_model(code: Path, tmp_path: Path) -> None:
    made, folder = saved(Generate(), "Logits", tmp_path / "model")
    found = own.code_of(made.module)
    assert found is not None
    replace(made.card, code=replace(found, target="my_model:function")).save(folder)
    assert refused(lambda: load(folder)) == "M46"


def test_weights_that_do_not_fit_are_refused(code: Path, tmp_path: Path) -> None:
    made, folder = saved(Generate(), "Logits", tmp_path / "model")
    found = own.code_of(made.module)
    assert found is not None
    replace(made.card, code=replace(found, settings={**found.settings, "hidden": 8})).save(folder)
    with pytest.raises(ModelError, match="M09"):
        load(folder)
