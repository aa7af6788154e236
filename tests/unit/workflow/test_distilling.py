"""A teacher from the recipe to the model: what it says is learned, its hash counts, a stranger is refused."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hosts.host import Host, running, said

import tunesmith
from tunesmith.core import recipe_file
from tunesmith.core.errors import ModelError, RecipeError
from tunesmith.core.events import Step
from tunesmith.models import card, endpoint, tfidf, tokenizer
from tunesmith.models.backbone import Generic
from tunesmith.models.language import contract_of
from tunesmith.train.distillation import kl
from tunesmith.workflow import answers, check, locking, parts, training

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
    pupil.values["data"]["teacher"] = pupil.values["train"]["loss"]["teacher"]
    plan = pupil.plan()
    result = pupil.run()
    losses = [e.loss for e in plan.run.events.training(result["model"]) if isinstance(e, Step)]
    assert losses[-1] < losses[0]
    lineage = card.read(plan.run.model).lineage
    assert lineage["teacher"] == lineage["answers_of"] == f"stories260K-hf {plan.teacher_identity}"
    assert "answers learned are those of | stories260K" in (plan.run.model / "README.md").read_text("utf-8")


def test_a_teacher_that_is_called_otherwise_is_the_same(pupil: Any, shared_data: Path) -> None:
    teller = shared_data / "weights" / "stories260K-hf"
    (pupil.folder / "teller").symlink_to(teller)
    keys = set()
    for name in (str(teller), "./teller"):
        pupil.values["train"]["loss"]["teacher"] = name
        keys.add(pupil.plan().candidates[0].key)
    assert len(keys) == 1


def test_a_run_is_continued_with_the_same_teacher_only(pupil: Any, shared_data: Path) -> None:
    folder = pupil.folder / "teller"
    folder.mkdir()
    for path in (shared_data / "weights" / "stories260K-hf").iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    pupil.values["train"]["loss"]["teacher"] = "teller"
    plan = pupil.plan()
    before = (plan.identities, plan.candidates[0].key)
    assert locking.locked(plan).train.loss.settings["teacher"] == str(folder.resolve())
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
    endpoint.add(endpoint.Endpoint(name="far", url="http://127.0.0.1:9/v1", model="m"), pupil.workspace)
    with pytest.raises(tunesmith.TunesmithError, match=code):
        pupil.plan(f"train.loss.teacher={teacher or 'null'}")


def test_a_classifier_teaches_by_its_probabilities_whatever_its_tokens(bert: Any) -> None:
    rows = list(csv.DictReader((bert.folder / "tickets.csv").read_text("utf-8").splitlines()))
    teacher = tfidf.fit([row["text"] for row in rows], [row["label"] for row in rows], name="linear")
    (bert.folder / "linear").mkdir()
    teacher.save(bert.folder / "linear")
    card.Card(kind="tfidf", task="classify", labels=teacher.labels).save(bert.folder / "linear")
    plan = bert.plan("train.loss={name: kl, teacher: ./linear, alpha: 1.0, temperature: 1.0}")
    prepared = parts.make(plan)
    learner, encoded = training.learner_of(plan, plan.candidates[0], prepared)
    said = np.exp([example.reference for example in encoded.train])
    texts = prepared.split("train")["text"].to_list()
    np.testing.assert_allclose(said, teacher.predict(texts), atol=1e-5)
    loss = partial(kl, alpha=1.0)
    backbone = Generic(learner.backbone, speaks=False)
    learner.module.eval()
    before = plan.task.objective(learner, backbone, encoded.train, loss)
    before.backward()
    torch.optim.SGD(learner.module.parameters(), lr=1e-3).step()
    assert plan.task.objective(learner, backbone, encoded.train, loss) < before
    few = tfidf.fit(texts, (["one", "two"] * len(texts))[: len(texts)], name="linear")
    few.save(bert.folder / "linear")
    changed = bert.plan("train.loss={name: kl, teacher: ./linear}")
    with pytest.raises(ModelError, match="T13"):
        training.learner_of(changed, changed.candidates[0], prepared)


@pytest.fixture
def far(pupil: Any) -> Iterator[Host]:
    """A hosted teacher, and a pupil that is to learn its answers."""
    with running() as host:
        host.answer = lambda body: said(f"I heard {len(body['messages'])} messages.")
        endpoint.add(endpoint.Endpoint(name="far", url=host.url, model="m"), pupil.workspace)
        pupil.values["train"].pop("loss")
        pupil.values["data"]["teacher"] = "hosted:far"
        pupil.values["prompt"]["system"] = "Be brief."
        yield host


def test_the_answers_of_a_host_are_learned_and_asked_for_once(pupil: Any, far: Host) -> None:
    plan = pupil.plan()
    prepared = parts.make(plan)
    found = answers.of(plan, prepared)
    rows = found.split("train")
    assert {talk[-1]["content"] for talk in rows["messages"].to_list()} == {"I heard 2 messages."}
    assert rows["_row"].to_list() == prepared.split("train")["_row"].to_list()
    assert found.split("test").equals(prepared.split("test"))
    assert len(far.asked) == rows.height
    assert far.asked[0]["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (far.asked[0]["temperature"], far.asked[0]["max_tokens"]) == (0.0, 2)
    assert answers.of(pupil.plan("train.epochs=2"), prepared).split("train").equals(rows)
    assert len(far.asked) == rows.height
    assert plan.taught_by["answers_of"].startswith("hosted:far ")
    assert plan.data_key != pupil.plan("data.teacher=null").data_key


def test_a_run_that_spent_its_budget_goes_on_where_it_was(pupil: Any, far: Host) -> None:
    one = endpoint.find("far", pupil.workspace)
    endpoint.add(replace(one, requests=3), pupil.workspace)
    with pytest.raises(ModelError, match="M67"):
        pupil.run()
    endpoint.add(one, pupil.workspace)
    plan = pupil.plan()
    rows = answers.of(plan, parts.make(plan)).split("train")
    assert len(far.asked) == rows.height


def test_checking_asks_nobody(pupil: Any, far: Host, capsys: pytest.CaptureFixture[str]) -> None:
    from tunesmith.cli.main import main

    assert main(["--workspace", str(pupil.workspace.root), "check", str(pupil.recipe)]) == 0
    capsys.readouterr()
    assert far.asked == []


def test_labels_of_a_host_are_learned_where_it_names_one(bert: Any, write: Any, rows: Any) -> None:
    write(rows[::5])
    with running() as host:
        host.answer = lambda body: said("change_pin" if "card" in body["messages"][1]["content"] else "?")
        endpoint.add(endpoint.Endpoint(name="far", url=host.url, model="m"), bert.workspace)
        plan = bert.plan("data.teacher=hosted:far")
        before = parts.make(plan)
        found = answers.of(plan, before).split("train")
    own = before.split("train")["label"].to_list()
    wanted = ["change_pin" if "card" in text else old for text, old in zip(found["text"], own, strict=True)]
    assert found["label"].to_list() == wanted
    assert wanted != own


def test_a_local_teacher_may_have_other_tokens_if_its_answers_are_learned(pupil: Any) -> None:
    pupil.values["train"].pop("loss")
    plan = pupil.plan("data.teacher=tiny-zh-en")
    (before,) = (parts.make(plan).split("train").head(1)["messages"].to_list(),)
    rows = answers.of(plan, parts.make(plan)).split("train")
    talk = rows["messages"].to_list()[0]
    teacher: Any = tunesmith.load("tiny-zh-en", workspace=pupil.workspace)
    assert talk[-1]["content"] == teacher.chat(before[0][:-1], temperature=0.0, max_new_tokens=2)


def test_a_task_without_answers_cannot_learn_those_of_a_teacher(pupil: Any) -> None:
    pupil.values["train"].pop("loss")
    with pytest.raises(RecipeError, match="R18"):
        pupil.plan("task=prefer", "data.teacher=tiny-zh-en")
    with pytest.raises(RecipeError, match="T11"):
        pupil.plan("data.teacher=minilm")
