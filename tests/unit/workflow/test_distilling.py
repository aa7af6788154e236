"""A teacher from the recipe to the model: what it says is learned, its hash counts, a stranger is refused."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

import tunesmith
from tunesmith.core import recipe_file
from tunesmith.core.errors import ModelError, RecipeError
from tunesmith.core.events import Step
from tunesmith.models import card, tokenizer
from tunesmith.models.language import contract_of
from tunesmith.workflow import check

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


@pytest.fixture
def pupil(chat: Any, shared_data: Path) -> Any:
    """A random decoder of one layer with the tokens of a story teller, which is to teach it."""
    teller = shared_data / "weights" / "stories260K-hf"
    config = transformers.AutoConfig.from_pretrained(teller)
    config.num_hidden_layers = 1
    torch.manual_seed(5)
    transformers.LlamaForCausalLM(config).save_pretrained(chat.folder / "pupil")
    tokens = tokenizer.load(teller)
    tokens.save(str(chat.folder / "pupil" / "tokenizer.json"))
    contract_of(teller, tokens).save(chat.folder / "pupil")
    chat.values |= {"model": "pupil", "prompt": {"max_new_tokens": 2}}
    chat.values["train"] = {
        "epochs": 1, "batch_size": 4, "optimizer": {"name": "adamw", "lr": 3e-3},
        "loss": {"name": "kl", "teacher": str(teller), "temperature": 1.0, "alpha": 1.0},
    }  # fmt: skip
    return chat


def test_what_was_taught_says_by_whom(pupil: Any) -> None:
    plan = pupil.plan()
    result = pupil.run()
    losses = [e.loss for e in plan.run.events.training(result["model"]) if isinstance(e, Step)]
    assert losses[-1] < losses[0]
    assert card.read(plan.run.model).lineage["teacher"] == f"stories260K-hf {plan.teacher_identity}"


def test_a_run_is_continued_with_the_same_teacher_only(pupil: Any, shared_data: Path) -> None:
    folder = pupil.folder / "teller"
    folder.mkdir()
    for path in (shared_data / "weights" / "stories260K-hf").iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    pupil.values["train"]["loss"]["teacher"] = "teller"
    plan = pupil.plan()
    before = (plan.identities, plan.candidates[0].key)
    assert plan.locked().train.loss.settings["teacher"] == str(folder.resolve())
    (folder / "generation_config.json").write_text("{}", encoding="utf-8")
    other = pupil.plan()
    assert before[0] != other.identities
    assert before[1] != other.candidates[0].key


def test_other_tokens_are_refused_before_anything_is_written(pupil: Any) -> None:
    pupil.values["train"]["loss"]["teacher"] = "tiny-zh-en"
    with pytest.raises(RecipeError) as error:
        pupil.run()
    problem = error.value.problems[0]
    assert (problem.code, problem.field) == ("T12", "train.loss.teacher")
    assert "data: {teacher:" in problem.as_dict("en")["hint"]
    assert not pupil.workspace.root.exists()
    found = check.find(recipe_file.parse(pupil.recipe), pupil.workspace)[1]
    assert [one.code for one in found] == ["T12"]


@pytest.mark.parametrize(
    ("teacher", "code"), [("minilm", "T11"), ("hosted:far", "T10"), ("nobody", "M01"), ("", "T14")]
)
def test_what_cannot_teach_is_told(pupil: Any, teacher: str, code: str) -> None:
    from tunesmith.models import endpoint

    endpoint.add(endpoint.Endpoint(name="far", url="http://127.0.0.1:9/v1", model="m"), pupil.workspace)
    with pytest.raises(tunesmith.TunesmithError, match=code):
        pupil.plan(f"train.loss.teacher={teacher or 'null'}")


def test_a_classifier_teaches_by_its_probabilities_whatever_its_tokens(bert: Any) -> None:
    bert.values["publish"] = {"name": "linear"}
    bert.run("model=tfidf", "train={}")
    loss = "train.loss={name: kl, teacher: linear, alpha: 1.0, temperature: 1.0}"
    bert.run(loss, "publish=null", "train.epochs=1")
    file = bert.folder / "tickets.csv"
    texts = [row["text"] for row in csv.DictReader(file.read_text("utf-8").splitlines())]
    teacher: Any = tunesmith.load("linear", workspace=bert.workspace)
    (kept,) = bert.workspace.cache.glob("taught-*/taught.npy")
    said = np.exp(np.load(kept, allow_pickle=False))
    assert {tuple(row) for row in said.round(4)} <= {tuple(row) for row in teacher.predict(texts).round(4)}
    file.write_text(file.read_text("utf-8") + "something new,unheard\n" * 12, "utf-8")
    with pytest.raises(ModelError, match="T13"):
        bert.run(loss, "data.clean=[]", "data.split.similar=null")
