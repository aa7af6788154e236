"""The schema of a recipe: every default written out, every setting held to what it configures."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tunesmith.core.chosen import Component
from tunesmith.core.recipe import Data, Entry, Recipe, Scratch

LEAST = {"task": "classify", "model": "minilm", "data": {"source": "tickets.csv"}}


def recipe(**changes):
    return Recipe.model_validate({**LEAST, **changes})


def test_three_keys_are_a_recipe_and_the_rest_has_defaults():
    made = recipe()
    assert made.model == ["minilm"]
    assert made.data.source == {"all": [Entry(path="tickets.csv")]}
    assert [c.name for c in made.data.clean] == ["normalise", "dedup"]
    assert made.train.optimizer.settings["weight_decay"] == 0.01
    assert made.publish is None


def test_a_component_gets_the_defaults_of_its_own_signature():
    method = recipe(train={"method": {"name": "lora", "rank": 4}}).train.method
    assert method == Component("lora", method.settings)
    assert method.settings == {
        "rank": 4, "alpha": 32.0, "dropout": 0.0, "targets": "all-linear", "base": "float32",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("source", "by_split"),
    [
        ("a.csv", {"all": ["a.csv"]}),
        (["a.csv", "b.csv"], {"all": ["a.csv", "b.csv"]}),
        ({"train": "a.csv", "test": ["b.csv"]}, {"train": ["a.csv"], "test": ["b.csv"]}),
        ({"path": "a.csv", "cap": 9}, {"all": [{"path": "a.csv", "weight": 1.0, "cap": 9}]}),
        (
            {"train": ["a.csv", {"path": "b.csv", "weight": 2}]},
            {"train": ["a.csv", {"path": "b.csv", "weight": 2.0, "cap": None}]},
        ),
    ],
)
def test_a_source_is_a_path_an_entry_a_list_or_given_splits(source, by_split):
    data = recipe(data={"source": source}).data
    assert data.model_dump(mode="json")["source"] == by_split
    assert Data.model_validate(data.model_dump(mode="json")) == data


def test_a_model_is_a_name_a_size_or_several_of_them():
    made = recipe(model=["minilm", {"architecture": "bert", "hidden": 32, "heads": 2}])
    assert made.model[0] == "minilm"
    assert isinstance(made.model[1], Scratch)
    assert made.model[1].layers == 6


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"epohcs": 3}, ("epohcs",)),
        ({"task": "clasify"}, ("task",)),
        ({"model": []}, ("model",)),
        ({"model": {"architecture": "elman"}}, ("model", 0, "scratch", "architecture")),
        ({"data": {"source": {"dev": "a.csv"}}}, ("data", "source", "dev", "[key]")),
        ({"data": {"source": "a.csv", "split": {"test": 1.0}}}, ("data", "split", "test")),
        ({"data": {"source": "a.csv", "split": {"test": 0.5, "validation": 0.5}}}, ("data", "split")),
        ({"train": {"epochs": 0}}, ("train", "epochs")),
        ({"train": {"epochs": float("nan")}}, ("train", "epochs")),
        ({"train": {"clip": float("inf")}}, ("train", "clip")),
        ({"train": {"loss": {"name": "focal_los"}}}, ("train", "loss")),
        ({"train": {"method": {"rank": 4}}}, ("train", "method")),
        ({"eval": {"metrics": ["acuracy"]}}, ("eval", "metrics", 0)),
        ({"publish": {"name": "../up"}}, ("publish", "name")),
        ({"publish": {"name": "Router"}}, ("publish", "name")),
        ({"seed": -1}, ("seed",)),
        ({"recipe": 2}, ("recipe",)),
    ],
)
def test_what_does_not_fit_is_refused_at_its_place(changes, place):
    with pytest.raises(ValidationError) as caught:
        recipe(**changes)
    assert [error["loc"] for error in caught.value.errors()] == [place]


def test_a_component_with_settings_it_does_not_have_is_refused():
    with pytest.raises(ValidationError) as caught:
        recipe(train={"schedule": {"name": "cosine", "warmpu": 0.1}})
    (error,) = caught.value.errors()
    assert error["type"] == "settings"
    assert error["ctx"]["known"] == ["warmup", "floor"]


def test_a_recipe_cannot_be_changed_in_place():
    with pytest.raises(ValidationError):
        recipe().seed = 1


def test_a_recipe_that_was_written_out_is_the_same_again():
    made = recipe(
        train={"method": {"name": "lora", "targets": ["q_proj"]}},
        eval={"gate": {"accuracy": {"at_least": 0.5}}},
    )
    assert Recipe.model_validate(made.model_dump(mode="json", exclude_none=True)) == made
