"""The documents: alike in both languages, complete, and true of the code they describe."""

from __future__ import annotations

import argparse
import ast
import importlib
import re
import runpy
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pages import ALL, LANGUAGES, Page, bilingual, page, readme
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML

import tunesmith
from tunesmith.cli.main import VERBS, main
from tunesmith.cli.parser import Parser, common
from tunesmith.core import components, errors, recipe_file
from tunesmith.core.recipe import Recipe
from tunesmith.core.registry import Registry, load_code, settings_of
from tunesmith.core.workspace import Workspace
from tunesmith.eval.baselines import BASELINES
from tunesmith.models import catalogue
from tunesmith.serve.policies import POLICIES
from tunesmith.workflow import sample

REQUIRED = {"en": "required", "zh": "必填"}
NOTHING = "—"

# Which page explains which components, and whether their settings stand there too.
PAGES: tuple[tuple[Registry, str], ...] = (
    (components.tasks, "recipe"),
    (components.cleaners, "cleaning"),
    (components.augmenters, "augmentation"),
    (components.methods, "training"),
    (components.losses, "training"),
    (components.optimizers, "training"),
    (components.schedules, "training"),
    (components.metrics, "evaluation"),
)

each_page = pytest.mark.parametrize("page_", ALL, ids=str)
each_language = pytest.mark.parametrize("lang", LANGUAGES)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the examples: the sample, and a workspace of its own."""
    for lang in LANGUAGES:
        sample.write(tmp_path / f"messages.{lang}.csv", language=lang)
    Workspace(tmp_path / ".tunesmith").root.mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_page_has_the_same_headings_in_both_languages() -> None:
    english, chinese = bilingual("en"), bilingual("zh")
    assert [p.path.stem for p in english[1:]] == [p.path.stem for p in chinese[1:]]
    for one, other in zip(english, chinese, strict=True):
        assert one.headings == other.headings, f"{one} and {other}"


def test_pages_show_the_same_examples_in_both_languages() -> None:
    for one, other in zip(bilingual("en"), bilingual("zh"), strict=True):
        for kind in ("yaml", "python", "toml"):
            assert len(one.blocks(kind)) == len(other.blocks(kind)), f"{kind} of {one} and {other}"
        assert len(list(one.commands())) == len(list(other.commands())), f"{one} and {other}"
        for block, translated in zip(one.blocks("python"), other.blocks("python"), strict=True):
            assert structure(block) == structure(translated), f"{one} and {other}"


def structure(code: str) -> str:
    """What code does, whatever its comments and texts say."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


@each_page
def test_links_lead_to_files(page_: Page) -> None:
    missing = [t for t in page_.links if not (page_.path.parent / t.partition("#")[0]).exists()]
    assert missing == []


@each_language
def test_every_page_is_in_the_index(lang: str) -> None:
    linked = {target.removesuffix(".md") for target in page("index", lang).links}
    assert linked >= {p.path.stem for p in bilingual(lang)[1:]} - {"index"}


# The recipe reference


def keys(model: type[BaseModel], at: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key of a schema as `a.b.c`, without sections; `METRIC` stands for a key that the user chooses."""
    for name, field in model.model_fields.items():
        path, inner = f"{at}{name}", section(field.annotation)
        if inner is not field.annotation:
            yield path, field
        if inner is not None:
            yield from keys(inner, f"{path}.METRIC." if has_free_keys(field.annotation) else f"{path}.")


def section(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (section(argument) for argument in get_args(annotation))
    return next((inner for inner in found if inner is not None), None)


def has_free_keys(annotation: Any) -> bool:
    """Whether it is a mapping whose keys are not a fixed few, which may be left out."""
    return get_origin(annotation) is dict and get_origin(get_args(annotation)[0]) is not Literal


def documented(page_: Page) -> dict[str, str]:
    """Key to default, of the tables whose rows begin with a key or a setting between backticks."""
    rows = [row for row in page_.rows if len(row) == 3 and re.fullmatch(r"`[\w.]+`", row[0])]
    return {key.strip("`"): default.strip("`") for key, default, _ in rows}


def value(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def as_written(default: Any) -> Any:
    return list(default) if isinstance(default, tuple) else default


@each_language
def test_the_reference_has_every_key_of_a_recipe_with_its_default(lang: str) -> None:
    said = documented(page("recipe", lang))
    schema = dict(keys(Recipe))
    assert said.keys() == schema.keys()
    for key, field in schema.items():
        if field.is_required():
            assert said[key] == REQUIRED[lang], key
        elif field.default is None:
            assert said[key] == NOTHING, key
        else:
            assert value(said[key]) == as_written(field.default), key


@each_language
@pytest.mark.parametrize(("registry", "name"), PAGES, ids=[registry.noun for registry, _ in PAGES])
def test_every_component_is_explained_with_its_settings(lang: str, registry: Registry, name: str) -> None:
    page_ = page(name, lang)
    said = documented(page_)
    for component in registry.names():
        assert component in page_.named, component
        for setting, field in settings_of(registry.get(component)).model_fields.items():
            key = f"{component}.{setting}"
            assert key in said, f"{page_} says nothing of {key}"
            assert value(said[key]) == as_written(field.default), key


@each_language
def test_no_setting_is_documented_that_does_not_exist(lang: str) -> None:
    real = {
        f"{name}.{setting}"
        for registry, _ in PAGES
        for name in registry.names()
        for setting in settings_of(registry.get(name)).model_fields
    }
    assert documented(page("training", lang)).keys() <= real


@each_language
@pytest.mark.parametrize(
    ("name", "things"),
    [
        ("models", catalogue.entries()),
        ("evaluation", BASELINES),
        ("python", tunesmith.__all__),
        ("serving", {f"{method} {path}".replace("{name:path}", "NAME") for method, path in POLICIES}),
    ],
)
def test_everything_else_with_a_name_is_named(lang: str, name: str, things: Mapping[str, Any]) -> None:
    assert set(things) <= page(name, lang).named


# The command line


@each_language
def test_every_verb_action_and_option_is_documented(lang: str, capsys: pytest.CaptureFixture[str]) -> None:
    page_ = page("command-line", lang)
    said = page_.named
    for verb in VERBS:
        assert any(name.split()[:2] == ["tunesmith", verb] for name in said), verb
        for action in ("", *actions(verb)):
            assert not action or action in said, f"{verb} {action}"
            main([verb, *filter(None, [action]), "--help"])
            for option in re.findall(r"(?<!\S)--[a-z-]+", capsys.readouterr().out):
                assert option in said, f"{verb} {action} {option}"


def parser_of(verb: str) -> Parser:
    parser = Parser(prog=f"tunesmith {verb}", lang="en")
    importlib.import_module(f"tunesmith.cli.{verb}_verb").arguments(parser, "en")
    common(parser, "en")
    return parser


def actions(verb: str) -> list[str]:
    nested = (a for a in parser_of(verb)._actions if isinstance(a, argparse._SubParsersAction))
    return [name for action in nested for name in action.choices]


@each_language
def test_exit_codes_are_those_of_the_errors(lang: str) -> None:
    said = {int(row[0]) for row in page("command-line", lang).rows if row[0].isdecimal()}
    kinds = (kind for kind in vars(errors).values() if isinstance(kind, type))
    real = {kind.exit_code for kind in kinds if issubclass(kind, errors.TunesmithError)}
    assert said == {0, 6, *real}  # 6 is kept for a lack of memory


@each_page
def test_commands_can_be_understood(page_: Page) -> None:
    for line in page_.commands():
        for command in re.split(r"\s*(?:\||&&)\s*", line):
            words = shlex.split(command, comments=True)
            if words[:1] == ["tunesmith"]:
                assert words[1] in VERBS, command
                parser_of(words[1]).parse_args(words[2:])


# Examples. They have the same structure in both languages, so those that train are carried out in one.


@each_page
def test_recipes_are_recipes(page_: Page, tmp_path: Path) -> None:
    load_own(page_, tmp_path)
    for number, block in enumerate(page_.blocks("yaml")):
        if block.startswith("task:"):
            file = tmp_path / f"{number}.yaml"
            file.write_text(block, encoding="utf-8")
            recipe_file.load(file)


def load_own(page_: Page, folder: Path) -> None:
    """Load what the page keeps in a file of the reader's own, such as `# mine.py`."""
    for block in page_.blocks("python"):
        if named := re.match(r"# (\w+)\.py\n", block):
            file = folder / f"{named[1]}.py"
            file.write_text(block, encoding="utf-8")
            sys.modules.pop(file.stem, None)  # another page has its own
            load_code(file)


RUNNABLE = [
    pytest.param(block, id=f"{page_}-{number}")
    for page_ in bilingual("en")
    for number, block in enumerate(page_.blocks("python"))
    if block.startswith("# runs")
]


def test_some_examples_run() -> None:
    assert len(RUNNABLE) >= 2


@pytest.mark.parametrize("block", RUNNABLE)
def test_python_examples_run(block: str, shop: Path) -> None:
    (shop / "example.py").write_text(block, encoding="utf-8")
    runpy.run_path(str(shop / "example.py"))


def test_components_of_ones_own_run_as_shown(shop: Path) -> None:
    page_ = page("extending", "en")
    load_own(page_, shop)
    (shop / "mine.yaml").write_text(page_.blocks("yaml")[0], encoding="utf-8")
    result = tunesmith.run(shop / "mine.yaml")
    assert 0 <= result["scores"]["mine:worst_recall"] <= 1
    assert result["ledger"]["used"] > 0


def test_a_model_of_ones_own_is_trained_and_asked_as_shown(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page_ = page("own-model", "en")
    code, use = page_.blocks("python")
    assert len(code.splitlines()) <= 35
    load_own(page_, shop)
    (shop / "own.yaml").write_text(page_.blocks("yaml")[0], encoding="utf-8")
    (shop / "use.py").write_text(use, encoding="utf-8")
    run_, ask, _ = page_.commands()
    assert main(shlex.split(run_)[1:]) == 0
    assert main([*shlex.split(ask)[1:], "--json"]) == 0
    runpy.run_path(str(shop / "use.py"))
    assert len(capsys.readouterr().out.splitlines()) > 2


@each_language
def test_the_readme_can_be_tried(lang: str, shop: Path) -> None:
    (shop / "readme.yaml").write_text(readme(lang).blocks("yaml")[0], encoding="utf-8")
    assert main(["check", "readme.yaml", "--lang", lang]) == 0
