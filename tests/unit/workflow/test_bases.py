"""Which served models share a base: plain adapters of the same one, and the base itself beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tunesmith.models import adapter_config
from tunesmith.models.card import Base, Card
from tunesmith.models.resolve import Resolved, weights_digest
from tunesmith.serve.names import ANYHOW
from tunesmith.workflow import bases
from tunesmith.workflow.bases import Bases


class FakeBase:
    """Notes what is served over which base."""

    def __init__(self, folder: Path, *, name: str, **_: Any) -> None:
        self.folder, self.name, self.closed = folder, name, False
        self.served: list[str] = []

    def deploy(self, folder: Path, *, name: str, aliases: Sequence[str]) -> str:
        self.served.append(name)
        return f"{folder.name} on {self.name}"


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bases, "SharedBase", FakeBase)


def model(folder: Path) -> Resolved:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"architectures": ["LlamaForCausalLM"]}), "utf-8")
    (folder / "model.safetensors").write_bytes(folder.name.encode())
    return Resolved(name=folder.name, folder=folder)


def adapter(folder: Path, base: Resolved, **config: Any) -> Resolved:
    folder.mkdir()
    said = {"peft_type": "LORA", "target_modules": ["q_proj"], **config}
    (folder / adapter_config.CONFIG).write_text(json.dumps(said), "utf-8")
    assert base.folder is not None
    stated = Base(name=base.name, folder=str(base.folder), weights=weights_digest(base.folder))
    Card(kind="language", base=stated).save(folder)
    return Resolved(name=folder.name, folder=folder)


def served(*found: Resolved) -> list[object]:
    known = Bases(found, ANYHOW)
    return [known.deploy(one, one.name, ()) for one in found]


def test_adapters_of_one_base_share_it_and_others_are_by_themselves(tmp_path: Path) -> None:
    base, other = model(tmp_path / "base"), model(tmp_path / "other")
    ann, bob = adapter(tmp_path / "ann", base), adapter(tmp_path / "bob", base)
    eve = adapter(tmp_path / "eve", other)
    assert served(ann, eve, bob) == ["ann on base", None, "bob on base"]


def test_the_base_itself_counts_also_where_it_lies_elsewhere(tmp_path: Path) -> None:
    base = model(tmp_path / "base")
    ann = adapter(tmp_path / "ann", base)
    (tmp_path / "copies").mkdir()
    copy = model(tmp_path / "copies" / "base")
    assert served(copy, ann) == ["base on base", "ann on base"]
    assert served(ann) == [None]


@pytest.mark.parametrize(
    "config",
    [
        {"use_dora": True},
        {"peft_type": "IA3"},
        {"peft_type": "PROMPT_TUNING"},
        {"target_modules": ["lm_head"]},
    ],
    ids=["dora", "ia3", "prompt", "head"],
)
def test_what_has_to_be_folded_in_is_by_itself(tmp_path: Path, config: dict[str, Any]) -> None:
    base = model(tmp_path / "base")
    ann, bob = adapter(tmp_path / "ann", base), adapter(tmp_path / "bob", base, **config)
    assert Bases([ann, bob], ANYHOW).apart.keys() == {"bob"}
    assert served(ann, bob) == [None, None]
    assert served(base, ann, bob) == ["base on base", "ann on base", None]


def test_a_release_that_takes_over_joins_the_base_that_is_there(tmp_path: Path) -> None:
    base = model(tmp_path / "base")
    ann, bob = adapter(tmp_path / "ann", base), adapter(tmp_path / "bob", base)
    known = Bases([ann, bob], ANYHOW)
    for one in (ann, bob):
        known.deploy(one, one.name, ())
    assert known.deploy(adapter(tmp_path / "next", base), "ann@2", ()) == "next on base"
    [process] = known._processes.values()
    assert process.served == ["ann", "bob", "ann@2"]  # type: ignore[attr-defined]
