"""The TF-IDF baseline on real intents and on real Chinese titles."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tunesmith.core.errors import DataError, ModelError
from tunesmith.models import tfidf
from tunesmith.models.tfidf import TfidfClassifier

INTENTS = ("card_arrival", "change_pin", "exchange_rate", "lost_or_stolen_card", "top_up_failed")


def banking(path: Path) -> tuple[list[str], list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["category"] in INTENTS]
    return [row["text"] for row in rows], [row["category"] for row in rows]


@pytest.fixture(scope="module")
def intents(shared_data: Path) -> TfidfClassifier:
    return tfidf.fit(*banking(shared_data / "cls_banking77" / "train.csv"), name="intents")


def share_right(model: TfidfClassifier, texts: list[str], labels: list[str]) -> float:
    pairs = zip(model.classify(texts), labels, strict=True)
    return sum(found == label for found, label in pairs) / len(labels)


def test_it_tells_real_intents_apart(intents: TfidfClassifier, shared_data: Path) -> None:
    texts, labels = banking(shared_data / "cls_banking77" / "test.csv")
    assert intents.labels == INTENTS
    assert share_right(intents, texts, labels) > 0.95


def test_chinese_needs_no_segmenter(shared_data: Path) -> None:
    lines = (shared_data / "cls_csl_zh" / "cls_ctg_train.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t")[1:3] for line in lines.splitlines()]
    medicine_or_law = [row for row in rows if row[1] in ("医学", "法学")]
    texts, labels = [row[0] for row in medicine_or_law], [row[1] for row in medicine_or_law]
    model = tfidf.fit(texts[:-200], labels[:-200], name="zh")
    assert share_right(model, texts[-200:], labels[-200:]) > 0.85


def test_probabilities_are_the_same_bits_after_saving(
    intents: TfidfClassifier, shared_data: Path, tmp_path: Path
) -> None:
    texts, _ = banking(shared_data / "cls_banking77" / "test.csv")
    intents.save(tmp_path)
    loaded = tfidf.load(tmp_path)
    assert (loaded.name, loaded.labels, loaded.digest) == (
        intents.name, intents.labels, intents.digest,
    )  # fmt: skip
    assert loaded.predict(texts).tobytes() == intents.predict(texts).tobytes()


def test_the_same_rows_give_the_same_model() -> None:
    rows = (["open the door", "close the door", "open a window"], ["open", "close", "open"])
    assert tfidf.fit(*rows, name="a").digest == tfidf.fit(*rows, name="b").digest


@pytest.mark.parametrize("labels", [("no", "yes"), ("a", "b", "c")])
def test_probabilities_sum_to_one_for_two_labels_and_for_more(labels: tuple[str, ...]) -> None:
    texts = [f"{label} word{i}" for i in range(6) for label in labels]
    given = [label for _ in range(6) for label in labels]
    found = tfidf.fit(texts, given, name="m").predict(texts)
    assert found.shape == (len(texts), len(labels))
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert [labels[i] for i in found.argmax(axis=1)] == given


def test_no_texts_give_no_rows(intents: TfidfClassifier) -> None:
    assert intents.predict([]).shape == (0, 5)


def test_texts_of_signs_alone_can_be_learnt() -> None:
    model = tfidf.fit(["👍👍", "！！！", "👍"], ["good", "bad", "good"], name="signs")
    assert model.classify("👍") == ["good"]


def test_one_label_is_refused() -> None:
    with pytest.raises(DataError, match="E07"):
        tfidf.fit(["a", "b"], ["only", "only"], name="m")


def test_empty_texts_are_refused() -> None:
    with pytest.raises(DataError, match="E08"):
        tfidf.fit(["", " \n"], ["a", "b"], name="m")


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    tfidf.fit(["one", "two"], ["a", "b"], name="m").save(tmp_path)
    settings = json.loads((tmp_path / tfidf.SETTINGS).read_text(encoding="utf-8"))
    settings["vocabulary"].pop()
    (tmp_path / tfidf.SETTINGS).write_text(json.dumps(settings), encoding="utf-8")
    with pytest.raises(ModelError, match="M06"):
        tfidf.load(tmp_path)


@pytest.mark.parametrize("file", [tfidf.SETTINGS, tfidf.WEIGHTS])
@pytest.mark.parametrize("content", [None, b"", b"{}", b"[1]", b"\xff\xfe\x00"])
def test_a_damaged_folder_is_named(tmp_path: Path, file: str, content: bytes | None) -> None:
    tfidf.fit(["one", "two"], ["a", "b"], name="m").save(tmp_path)
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(ModelError, match="M06") as caught:
        tfidf.load(tmp_path)
    assert caught.value.problems[0].file == str(tmp_path)


def test_scikit_learn_is_loaded_only_when_it_is_needed() -> None:
    code = "import sys, tunesmith.models.tfidf; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
