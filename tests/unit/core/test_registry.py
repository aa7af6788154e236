"""Components are found by name, their keyword-only arguments are their settings, mistakes get answers."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated

import pytest
from annotated_types import Ge, Gt
from pydantic import ValidationError

from tunesmith.core import components, text
from tunesmith.core.errors import NotFoundError, RecipeError
from tunesmith.core.registry import Registry, load_code, settings_of, suggestion

NAMES = [(registry, name) for registry in components.registries.values() for name in registry.names()]


def shifted(logits: NotImported, *, shift: Annotated[float, Ge(0)] = 1.0, times: int) -> NotImported:  # type: ignore[name-defined]  # noqa: F821
    """A component whose positional argument has a type that does not exist."""


@pytest.mark.parametrize(("registry", "name"), NAMES, ids=lambda part: getattr(part, "noun", part))
def test_everything_built_in_can_be_loaded_and_has_settings_with_defaults(registry, name):
    component = registry.get(name)
    assert component.__doc__
    settings_of(component)()


@pytest.mark.parametrize("registry", components.registries.values(), ids=lambda registry: registry.noun)
def test_an_unknown_name_is_answered_with_what_exists_and_what_may_be_meant(registry):
    name = registry.names()[0]
    with pytest.raises(RecipeError) as caught:
        registry.get(name + "x")
    problem = caught.value.problems[0]
    assert problem.code == "R06"
    assert problem.values["close"] == name
    assert name in problem.values["known"]


def test_settings_come_from_the_keyword_only_arguments():
    schema = settings_of(shifted)
    assert set(schema.model_fields) == {"shift", "times"}
    assert schema(times=2).model_dump() == {"shift": 1.0, "times": 2}


@pytest.mark.parametrize("settings", [{}, {"times": 1, "shift": -1}, {"times": 1, "shft": 1}, {"times": "x"}])
def test_settings_that_do_not_fit_the_signature_are_refused(settings):
    with pytest.raises(ValidationError):
        settings_of(shifted)(**settings)


def test_reading_settings_imports_no_heavy_library():
    names = [f"components.{group}.get({name!r})" for group, name in (
        ("losses", "cross_entropy"), ("optimizers", "adamw"), ("schedules", "cosine"), ("methods", "lora"),
        ("tasks", "chat"), ("metrics", "accuracy"),
    )]  # fmt: skip
    code = (
        "import sys; from tunesmith.core import components; from tunesmith.core.registry import settings_of\n"
        f"[settings_of(c) for c in [{', '.join(names)}]]\n"
        "print(sorted({'torch', 'transformers', 'sklearn'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_a_component_of_ones_own_is_named_as_module_and_object():
    registry = Registry("loss", "tunesmith.losses", {})
    assert registry.get("annotated_types:Gt") is Gt


@pytest.mark.parametrize("target", ["no_such_module:thing", "annotated_types:no_such_thing"])
def test_a_component_that_cannot_be_imported_says_why(target):
    with pytest.raises(RecipeError) as caught:
        Registry("loss", "tunesmith.losses", {}).get(target)
    assert caught.value.problems[0].code == "R07"
    assert caught.value.problems[0].values["reason"]


def test_a_file_of_ones_own_can_be_named_in_a_recipe(tmp_path, monkeypatch):
    file = tmp_path / "own_losses_for_a_test.py"
    file.write_text("def flat(logits, target, *, weight: float = 2.0):\n    return weight\n", "utf-8")
    monkeypatch.setitem(sys.modules, file.stem, sys)  # removed again when the test ends
    del sys.modules[file.stem]
    load_code(file)
    load_code(file)
    found = Registry("loss", "tunesmith.losses", {}).get("own_losses_for_a_test:flat")
    assert settings_of(found)().model_dump() == {"weight": 2.0}


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a = 1\ndef f(:\n", 2, "SyntaxError"),
        ("a = 1\n\nb = a / 0\n", 3, "ZeroDivisionError"),
        ("import no_such_module_at_all\n", 1, "no_such_module_at_all"),
        ("import sys\nsys.exit(0)\n", 2, "SystemExit"),
    ],
)
def test_code_that_fails_is_told_with_its_line_and_not_kept(tmp_path, text, line, reason):
    file = tmp_path / "failing_code_for_a_test.py"
    file.write_text(text, "utf-8")
    with pytest.raises(RecipeError) as caught:
        load_code(file)
    (problem,) = caught.value.problems
    assert (problem.code, problem.file, problem.line) == ("R07", str(file), line)
    assert reason in problem.values["reason"]
    assert file.stem not in sys.modules


@pytest.mark.parametrize("name", ["json", "sys", "tunesmith", "__main__"])
def test_code_may_not_take_the_name_of_another_module(tmp_path, name):
    before = sys.modules[name]
    file = tmp_path / f"{name}.py"
    file.write_text("", "utf-8")
    with pytest.raises(RecipeError) as caught:
        load_code(file)
    assert caught.value.problems[0].code == "R07"
    assert name in caught.value.problems[0].values["reason"]
    assert sys.modules[name] is before


def test_code_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(NotFoundError):
        load_code(tmp_path / "my.py")


def test_of_very_many_names_the_likest_are_told():
    many = [f"model-{number}" for number in range(60)]
    told = suggestion("model-7x", many)
    assert told["close"] == "model-7"
    assert told["known"].startswith("model-7, ")
    assert len(told["known"].split(", ")) == 9


def test_a_suggestion_never_fails_on_an_empty_list():
    assert suggestion("x", []) == {"known": "-", "close": ""}


def test_what_is_not_alike_is_not_asked_about():
    told = suggestion("nowhere", ["roberta-base", "minilm"])
    assert told["close"] == ""
    said = text.explain("M01", "en", {"name": "nowhere", **told})
    assert said["hint"] == "`tunesmith models list` shows all"
    assert "是否想写" not in text.explain("M01", "zh", {"name": "nowhere", **told})["hint"]
