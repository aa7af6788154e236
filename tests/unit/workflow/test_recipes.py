"""The ready recipes: each is valid, and runs on real rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tunesmith
from tunesmith.core import recipe_file
from tunesmith.core.errors import TunesmithError
from tunesmith.workflow import demo

ROOT = Path(__file__).parents[3]
TASKS = {
    "tag-chinese": "tag",
    "pretrain-tiny": "generate",
    "distil": "chat",
}  # of recipes that are not named after theirs
READY = sorted((ROOT / "recipes").glob("*.yaml"))


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_every_ready_recipe_is_valid(path: Path) -> None:
    assert recipe_file.load(path).task == TASKS.get(path.stem, path.stem)


def test_the_demo_recipes_are_valid(tmp_path: Path) -> None:
    demo.write(tmp_path, "en")
    for name in demo.RECIPES:
        recipe_file.load(tmp_path / name)


def test_a_language_model_from_nothing_continues_text(shared_data: Path, tmp_path: Path) -> None:
    text = (shared_data / "text_tinyshakespeare" / "input.txt").read_text("utf-8")[:20_000]
    (tmp_path / "input.txt").write_text(text, encoding="utf-8")
    small = "model={architecture: llama, hidden: 32, layers: 1, heads: 2, vocab: 400, context: 64}"
    result = tunesmith.run(
        ROOT / "recipes" / "generate.yaml",
        overrides=[small, f"data.source={tmp_path / 'input.txt'}", "train.epochs=1"],
        workspace=tmp_path / "workspace",
    )
    assert result["scores"]["perplexity"] < 400
    losses = _losses(Path(result["path"]))
    assert losses[-1] < losses[0]
    model = tunesmith.load(result["release"], workspace=tmp_path / "workspace")
    assert isinstance(model, tunesmith.LanguageModel)
    assert model.generate("First Citizen:", max_new_tokens=8)


def _losses(run: Path) -> list[float]:
    records = map(json.loads, (run / "events.jsonl").read_text("utf-8").splitlines())
    return [record["loss"] for record in records if record["event"] == "Step"]


def test_pairs_are_translated_from_nothing(shared_data: Path, tmp_path: Path) -> None:
    lines = (shared_data / "mt_tatoeba_en_zh" / "cmn.tsv").read_text("utf-8").splitlines()[:4000:20]
    (tmp_path / "pairs.tsv").write_text("\n".join(lines), encoding="utf-8")
    small = "model={architecture: transformer, hidden: 32, layers: 1, heads: 2, vocab: 500, context: 48}"
    overrides = [
        small,
        f"data.source={tmp_path / 'pairs.tsv'}",
        "train.epochs=4",
        "data.split.test=0.1",
        "eval.gate={}",
    ]
    workspace = tmp_path / "workspace"
    result = tunesmith.run(ROOT / "recipes" / "translate.yaml", overrides=overrides, workspace=workspace)
    losses = _losses(Path(result["path"]))
    assert losses[-1] < losses[0]
    assert result["scores"].keys() == {"chrf", "bleu"}
    assert result["baselines"]["copy"]["chrf"] < result["baselines"]["nearest"]["chrf"]
    model = tunesmith.load(result["release"], workspace=workspace)
    assert isinstance(model, tunesmith.Translator)
    (tmp_path / "rows.jsonl").write_text('{"source": "你好", "target": "Hi."}', encoding="utf-8")
    report = tunesmith.evaluate(result["release"], tmp_path / "rows.jsonl", workspace=workspace)
    assert report.task == "translate"
    assert report.rows == 1
    (tmp_path / "text.txt").write_text("Hi.", encoding="utf-8")
    with pytest.raises(TunesmithError, match="M14"):
        tunesmith.evaluate(result["release"], tmp_path / "text.txt", task="generate", workspace=workspace)


def test_pairs_are_embedded_and_found(shared_data: Path, tmp_path: Path) -> None:
    lines = (shared_data / "mt_tatoeba_en_zh" / "cmn.tsv").read_text("utf-8").splitlines()[:4000:20]
    (tmp_path / "pairs.tsv").write_text("\n".join(lines), encoding="utf-8")
    small = "model={architecture: bert, hidden: 32, layers: 1, heads: 2, vocab: 500, context: 48}"
    overrides = [small, f"data.source={tmp_path / 'pairs.tsv'}", "train.epochs=2", "eval.gate={}"]
    workspace = tmp_path / "workspace"
    result = tunesmith.run(ROOT / "recipes" / "embed.yaml", overrides=overrides, workspace=workspace)
    assert result["scores"].keys() == {"ndcg_at_10", "mrr_at_10", "recall_at_1", "recall_at_10"}
    assert result["baselines"].keys() == {"tfidf_cosine"}
    model = tunesmith.load(result["release"], workspace=workspace)
    assert isinstance(model, tunesmith.TextEmbedder)
    assert model.embed("Hi.").shape == (1, 32)
    (tmp_path / "rows.jsonl").write_text('{"source": "你好", "target": "Hi."}', encoding="utf-8")
    report = tunesmith.evaluate(result["release"], tmp_path / "rows.jsonl", workspace=workspace)
    assert report.scores["recall_at_1"] == 1
    (tmp_path / "text.txt").write_text("Hi.", encoding="utf-8")
    with pytest.raises(TunesmithError, match="M14"):
        tunesmith.evaluate(result["release"], tmp_path / "text.txt", task="generate", workspace=workspace)


def test_names_are_found_in_chinese_from_nothing(shared_data: Path, tmp_path: Path) -> None:
    rows = (shared_data / "ner_uner_zh" / "zh_gsdsimp-ud-dev.iob2").read_text("utf-8").split("\n\n")
    (tmp_path / "names.iob2").write_text("\n\n".join(rows[:60]) + "\n", encoding="utf-8")
    small = "model={architecture: bert, hidden: 32, layers: 1, heads: 2, vocab: 800, context: 128}"
    source = f"data.source={tmp_path / 'names.iob2'}"
    result = tunesmith.run(
        ROOT / "recipes" / "tag-chinese.yaml",
        overrides=[small, source, "data.split={test: 0.2}", "train.epochs=2", "eval.gate={}"],
        workspace=tmp_path / "workspace",
    )
    losses = _losses(Path(result["path"]))
    assert losses[-1] < losses[0]
    assert result["scores"].keys() == {"entity_f1", "token_accuracy"}
    assert result["baselines"].keys() == {"dictionary"}
    model = tunesmith.load(result["release"], workspace=tmp_path / "workspace")
    assert isinstance(model, tunesmith.TextTagger)
    report = tunesmith.evaluate(result["release"], tmp_path / "names.iob2", workspace=tmp_path / "workspace")
    assert (report.task, {score.label for score in report.per_class}) == ("tag", {"LOC", "ORG", "PER"})


def test_answers_are_taken_from_texts_from_nothing(shared_data: Path, tmp_path: Path) -> None:
    content = json.loads((shared_data / "qa_cmrc2018_dev" / "cmrc2018_dev.json").read_text("utf-8"))
    (tmp_path / "asked.json").write_text(json.dumps({"data": content["data"][:10]}), encoding="utf-8")
    small = "model={architecture: bert, hidden: 32, layers: 1, heads: 2, vocab: 800, context: 128}"
    result = tunesmith.run(
        ROOT / "recipes" / "answer.yaml",
        overrides=[small, f"data.source={tmp_path / 'asked.json'}", "train.epochs=2", "eval.gate={}"],
        workspace=tmp_path / "workspace",
    )
    losses = _losses(Path(result["path"]))
    assert losses[-1] < losses[0]
    assert result["scores"].keys() == {"answer_f1", "exact_match"}
    model = tunesmith.load(result["release"], workspace=tmp_path / "workspace")
    assert isinstance(model, tunesmith.TextReader)
    assert model.answer(["谁？"], ["光荣公司。"])[0].text in "光荣公司。"


def test_likeness_and_hard_negatives_are_learned(shared_data: Path, tmp_path: Path) -> None:
    lines = (shared_data / "sum_scitldr" / "train.jsonl").read_text("utf-8").splitlines()[:40]
    texts = [(" ".join(row["source"][:2]), row["target"][0]) for row in map(json.loads, lines)]
    # A summary is like its own paper, and less like the one before.
    rows = [
        {"sentence1": text, "sentence2": texts[i - wrong][1], "score": 5 - 4 * wrong}
        for i, (text, _) in enumerate(texts)
        for wrong in (0, 1)
    ]
    triplets = [
        {"anchor": text, "positive": told, "negative": texts[i - 1][1]}
        for i, (text, told) in enumerate(texts)
    ]
    found = []
    for name, content in (("scored", rows), ("triplets", triplets)):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("\n".join(map(json.dumps, content)), encoding="utf-8")
        small = "model={architecture: bert, hidden: 32, layers: 1, heads: 2, vocab: 500, context: 64}"
        overrides = [small, f"data.source={path}", "train.epochs=1", "eval.gate={}", f"publish.name={name}"]
        workspace = tmp_path / "workspace"
        found.append(tunesmith.run(ROOT / "recipes" / "embed.yaml", overrides=overrides, workspace=workspace))
    assert found[0]["scores"].keys() == {"spearman", "pearson"}
    assert found[0]["baselines"].keys() == {"tfidf_similarity"}
    assert "ndcg_at_10" in found[1]["scores"]
    report = tunesmith.evaluate("scored", tmp_path / "scored.jsonl", workspace=tmp_path / "workspace")
    assert report.scores.keys() == {"spearman", "pearson"}
