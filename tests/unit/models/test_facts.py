from __future__ import annotations

import pytest

from tunesmith.core.errors import NotFoundError
from tunesmith.core.workspace import Workspace
from tunesmith.models import facts
from tunesmith.models.card import Card
from tunesmith.models.description import describe


@pytest.mark.parametrize(
    ("head", "licence"),
    [
        ("---\nlanguage: en\nlicense: apache-2.0\n---\n# A model\n", "apache-2.0"),
        ("# A model\nlicense: mit\n", None),
        ("---\nlanguage: en\n---\nlicense: mit\n", None),
    ],
)
def test_the_licence_is_the_one_the_folder_states(tmp_path, head, licence):
    (tmp_path / "README.md").write_text(head)
    found = facts.Found(name="a", folder=tmp_path)
    assert facts.licence(found, Card(kind="language")) == licence


def test_a_hub_model_that_was_fetched_is_here(tmp_path, monkeypatch, stories_cache):
    workspace = Workspace(tmp_path / ".tunesmith")
    found = facts.find("someone/stories", workspace)
    assert found.folder is not None
    assert describe(found)["kind"] == "language"
    with pytest.raises(NotFoundError, match="M01"):
        facts.find("someone/else", workspace)


@pytest.fixture
def stories_cache(tmp_path, monkeypatch, shared_data):
    """A hub cache that holds one model, laid out as huggingface_hub does."""
    repository = tmp_path / "hub" / "models--someone--stories"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc")
    (repository / "snapshots").mkdir()
    (repository / "snapshots" / "abc").symlink_to(shared_data / "weights" / "stories260K-hf")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
