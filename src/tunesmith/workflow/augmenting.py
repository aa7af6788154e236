"""What augmenters need that is above the data: models by their names, and a classifier fitted in a moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tunesmith.core.workspace import Workspace
from tunesmith.data.augmenting.part import Helpers


def helpers(workspace: Workspace, base: Path) -> Helpers:
    """Models of the workspace, or beside the recipe; each is loaded once."""

    @cache
    def find(name: str) -> Any:
        from tunesmith.models import loading
        from tunesmith.models.resolve import resolve

        return loading.load(resolve(name, workspace, base=base))

    return Helpers(find=find, fit=_tfidf)


def _tfidf(texts: Sequence[str], labels: Sequence[str]) -> Callable[[Sequence[str]], Sequence[str]]:
    from tunesmith.models import tfidf

    model = tfidf.fit(texts, labels, name="tfidf")
    return lambda asked: model.classify(list(asked)) if asked else []
