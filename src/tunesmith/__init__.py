"""Tunesmith: language models on your own data, from raw rows to a served model, in one recipe.

    import tunesmith
    result = tunesmith.run("recipe.yaml")
    model = tunesmith.load(result["release"])
    model.classify("Where is my parcel?")

Names are loaded when they are first used: importing this package imports nothing heavy.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.core.errors import TunesmithError
    from tunesmith.core.recipe import Recipe
    from tunesmith.core.workspace import Workspace
    from tunesmith.data.dataset import Dataset
    from tunesmith.data.ledger import Ledger
    from tunesmith.eval.report import Report
    from tunesmith.models.classifier import TextClassifier
    from tunesmith.models.contract import PromptContract
    from tunesmith.models.embedder import TextEmbedder
    from tunesmith.models.filler import TextFiller
    from tunesmith.models.language import LanguageModel
    from tunesmith.models.reader import TextReader
    from tunesmith.models.scorer import TextScorer
    from tunesmith.models.tagger import TextTagger
    from tunesmith.models.tfidf import TfidfClassifier
    from tunesmith.models.translator import Translator
    from tunesmith.serve.async_client import AsyncClient
    from tunesmith.serve.client import Client
    from tunesmith.workflow.api import evaluate, load, run, serve

__version__ = "0.1.0"

_WHERE = {
    "AsyncClient": "serve.async_client",
    "Client": "serve.client",
    "Dataset": "data.dataset",
    "LanguageModel": "models.language",
    "Ledger": "data.ledger",
    "PromptContract": "models.contract",
    "Recipe": "core.recipe",
    "Report": "eval.report",
    "TextClassifier": "models.classifier",
    "TextEmbedder": "models.embedder",
    "TextFiller": "models.filler",
    "TextReader": "models.reader",
    "TextScorer": "models.scorer",
    "TextTagger": "models.tagger",
    "TfidfClassifier": "models.tfidf",
    "Translator": "models.translator",
    "TunesmithError": "core.errors",
    "Workspace": "core.workspace",
    "evaluate": "workflow.api",
    "load": "workflow.api",
    "run": "workflow.api",
    "serve": "workflow.api",
}

__all__ = [
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


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


class _CallablePackage(ModuleType):
    """A package that can be called like the public function of its name."""

    def __call__(self, *args: Any, **settings: Any) -> Any:
        return __getattr__(self.__name__.rpartition(".")[2])(*args, **settings)


class _Package(ModuleType):
    """`serve` is a function and a package in here: importing the package must not hide the function."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _WHERE and isinstance(value, ModuleType):
            value.__class__ = _CallablePackage
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
