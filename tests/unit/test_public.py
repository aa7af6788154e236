"""The public interface: which names there are, and that asking for none of them loads nothing."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tunesmith

NAMES = [
    "AsyncClient",
    "Client",
    "Dataset",
    "LanguageModel",
    "Ledger",
    "PromptContract",
    "Recipe",
    "Report",
    "TextClassifier",
    "TextEmbedder",
    "TextFiller",
    "TextReader",
    "TextScorer",
    "TextTagger",
    "TfidfClassifier",
    "Translator",
    "TunesmithError",
    "Workspace",
    "evaluate",
    "load",
    "run",
    "serve",
]
HEAVY = ("torch", "transformers", "polars", "pydantic", "sklearn", "fastapi", "sqlalchemy", "numpy",
         "tokenizers", "huggingface_hub", "rich", "jinja2", "httpx", "ruamel")  # fmt: skip
PATHS = [os.path.abspath(path) for path in sys.path]


def test_the_names_are_these() -> None:
    assert tunesmith.__all__ == NAMES == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_there_and_says_what_it_is(name: str) -> None:
    found = getattr(tunesmith, name)
    assert inspect.getdoc(found)
    assert callable(found)
    assert name in dir(tunesmith)


@pytest.mark.parametrize("before", ["", "tunesmith.Client", "import tunesmith.serve.errors"])
def test_serving_is_a_function_whatever_was_imported_before(before: str) -> None:
    script = (
        f"import sys; sys.path[:0] = {PATHS!r}\nimport tunesmith\n{before}\n"
        "import tunesmith.workflow.api as api; api.serve = lambda *models, **settings: print(*models)\n"
        "tunesmith.serve('router')\n"
        "from tunesmith.serve import client; import tunesmith.serve.client as same; assert client is same"
    )
    said = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False)
    assert (said.stdout.strip(), said.stderr) == ("router", "")


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'trainer'"):
        tunesmith.trainer  # noqa: B018


@pytest.mark.parametrize(
    "code", ["import tunesmith", "import tunesmith.cli", "from tunesmith import TunesmithError"]
)
def test_importing_it_loads_nothing_heavy(code: str) -> None:
    script = f"import sys; sys.path[:0] = {PATHS!r}\n{code}\nprint({set(HEAVY)!r} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"


def test_a_server_and_its_workers_load_no_tensors_before_a_model_needs_them() -> None:
    script = (
        f"import sys; sys.path[:0] = {PATHS!r}\n"
        "import tunesmith.workflow.serving, tunesmith.studio.app, tunesmith.serve.server\n"
        "import tunesmith.serve.worker.computing\n"
        "heavy = {'torch', 'transformers', 'sklearn', 'scipy', 'pandas', 'pyarrow'}\n"
        "print(heavy & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"


def test_type_checkers_may_read_it() -> None:
    assert (Path(str(tunesmith.__file__)).parent / "py.typed").exists()
