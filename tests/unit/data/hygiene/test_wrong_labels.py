from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tunesmith.data.hygiene.wrong_labels import label_quality


def _plant(labels: list[str], seed: int) -> tuple[list[str], list[bool]]:
    """A tenth of the labels made another, uniformly at random; and which."""
    names = sorted(set(labels))
    dice = np.random.default_rng(seed)
    wrong = (dice.random(len(labels)) < 0.1).tolist()
    shift = dice.integers(1, len(names), len(labels)).tolist()
    changed = [
        names[(names.index(label) + by) % len(names)] if bad else label
        for label, bad, by in zip(labels, wrong, shift, strict=True)
    ]
    return changed, wrong


def _auroc(wrong: list[bool], scores: pl.Series) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(wrong, -scores.to_numpy()))


@pytest.fixture(scope="module")
def banking(shared_data: Path) -> pl.DataFrame:
    frame = pl.read_csv(shared_data / "cls_banking77" / "train.csv")
    return frame.select(text=frame.columns[0], label=frame.columns[1]).filter(
        pl.col("label").is_in(frame[frame.columns[1]].unique(maintain_order=True).head(20).implode())
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_planted_wrong_labels_rank_first_in_english(banking: pl.DataFrame, seed: int) -> None:
    labels, wrong = _plant(banking["label"].to_list(), seed)
    quality = label_quality(banking["text"].to_list(), labels)
    assert _auroc(wrong, quality["score"]) >= 0.98
    flagged = quality["flagged"].to_numpy()
    assert np.mean(np.array(wrong)[flagged]) >= 0.85
    assert np.mean(flagged[np.array(wrong)]) >= 0.9
    right = (quality["suggested"] == banking["label"]).filter(quality["flagged"] & pl.Series(wrong))
    assert right.mean() >= 0.85


def test_planted_wrong_labels_rank_first_in_chinese(shared_data: Path) -> None:
    lines = (shared_data / "cls_csl_zh" / "cls_ctg_train.tsv").read_text("utf-8").splitlines()[:3000]
    rows = [line.split("\t") for line in lines]
    labels, wrong = _plant([row[2] for row in rows], seed=0)
    quality = label_quality([row[1] for row in rows], labels)
    assert _auroc(wrong, quality["score"]) >= 0.93


def test_the_same_rows_give_the_same_answer(banking: pl.DataFrame) -> None:
    part = banking.sample(600, seed=1)
    first = label_quality(part["text"].to_list(), part["label"].to_list(), seed=3)
    assert label_quality(part["text"].to_list(), part["label"].to_list(), seed=3).equals(first)


def test_vectors_take_the_place_of_words() -> None:
    dice = np.random.default_rng(0)
    centres = np.repeat(np.eye(3), 20, axis=0)
    vectors = (centres + dice.normal(0, 0.1, (60, 3))).astype(np.float32)
    labels = [*"a" * 20, *"b" * 20, *"c" * 20]
    labels[7] = "c"
    quality = label_quality(["no words"] * 60, labels, vectors=vectors)
    assert quality["score"].arg_min() == 7
    assert quality.row(7)[1:] == ("a", True)
    with pytest.raises(ValueError, match="59 vectors for 60 texts"):
        label_quality(["no words"] * 60, labels, vectors=vectors[1:])


def test_rows_that_cannot_be_judged_have_no_score() -> None:
    texts = [*[f"red apple {n}" for n in range(8)], *[f"fast car {n}" for n in range(8)], "odd one", "none"]
    labels = [*["fruit"] * 8, *["vehicle"] * 8, "rare", None]
    quality = label_quality(texts, labels)
    assert quality["score"].null_count() == 2
    assert quality["score"].head(16).null_count() == 0
    assert not quality["flagged"].any()


@pytest.mark.parametrize("labels", [[], ["a"], ["a"] * 9, [None, None], ["a", "b", "c"]])
def test_too_little_to_judge_by_is_no_error(labels: list[str | None]) -> None:
    quality = label_quality([f"text {n}" for n in range(len(labels))], labels)
    assert quality.height == len(labels)
    assert quality["score"].null_count() == len(labels)
    assert not quality["flagged"].any()
