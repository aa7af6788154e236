"""A run that augments also trains without the rows that were made, and says what they brought."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tunesmith
from tunesmith.core.events import StageStarted
from tunesmith.core.runs import RunFolder

RECIPE = """task: classify
model: tfidf
data:
  source: rows.csv
  clean: []
  augment: {by: [eda, typos], seeds: 2}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("ablating")
    said = {"card": "my card number %d was lost on the way", "rate": "tell me about rate %d of today"}
    lines = [f"{text % n},{label}" for n in range(40) for label, text in said.items()]
    (made / "rows.csv").write_text("\n".join(["text,label", *lines]))
    (made / "a.yaml").write_text(RECIPE)
    return made


def test_both_are_trained_with_each_seed_and_the_report_tells(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    result = tunesmith.run("a.yaml")
    found = result["ablation"]
    assert [one["seed"] for one in found["seeds"]] == [0, 1]
    assert found["seeds"][0]["augmented"] == result["scores"][found["metric"]]
    assert found["rows"] == result["augmented"]
    assert set(found["rows"]) == {"eda", "typos"}
    assert result["ledger"]["used"] == 64  # rows that were read; those made are apart
    run = RunFolder(Path(result["path"]))
    names = [e.detail for e in run.events.read() if isinstance(e, StageStarted) and e.stage == "train"]
    assert names == ["tfidf", "tfidf#plain0", "tfidf#seed1", "tfidf#plain1"]
    assert json.loads(run.report.read_text())["ablation"] == found
    assert 'id="ablation"' in run.page.read_text()
    other = tunesmith.run("a.yaml", overrides=["data.augment.seeds=0"])
    assert other["ablation"] is None
    assert other["augmented"] == result["augmented"]
    plain = tunesmith.run("a.yaml", overrides=["data.augment=null"])
    assert (plain["ablation"], plain["augmented"]) == (None, {})
