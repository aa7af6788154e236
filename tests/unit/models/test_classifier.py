"""The classifier: a text's answer does not depend on its neighbours, and every text gets one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from tunesmith.core.errors import ModelError
from tunesmith.core.recipe import Scratch
from tunesmith.models import classifier, heads, scratch
from tunesmith.models.classifier import Classifier, TextClassifier
from tunesmith.models.encoding import Encoded

TEXTS = [
    "late",
    "The parcel is late again and nobody answers.",
    "快递三天没动了，什么时候能到？",
    "",
    "x" * 400,
]
LABELS = ("billing", "delivery", "其他")


@pytest.fixture(scope="module")
def model() -> TextClassifier:
    size = Scratch(architecture="bert", hidden=32, layers=2, heads=2, vocab=320, context=64)
    encoder, tokens = scratch.make(size, TEXTS * 3, seed=0)
    module = Classifier(encoder, len(LABELS)).eval()
    torch.nn.init.normal_(module.head.weight)
    return TextClassifier(name="own", module=module, tokenizer=tokens, labels=LABELS, context=64)


def test_probabilities_sum_to_one(model: TextClassifier) -> None:
    found = model.predict(TEXTS)
    assert found.shape == (5, 3)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)


def test_an_answer_does_not_depend_on_the_neighbours_or_their_order(model: TextClassifier) -> None:
    together = model.predict(TEXTS)
    alone = np.concatenate([model.predict([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(model.predict(TEXTS[::-1])[::-1], together, atol=1e-5)


def test_answers_are_the_same_every_time(model: TextClassifier) -> None:
    assert np.array_equal(model.predict(TEXTS), model.predict(TEXTS))


def test_labels_are_those_of_the_highest_probability(model: TextClassifier) -> None:
    best = model.predict(TEXTS).argmax(axis=1)
    assert model.classify(TEXTS) == [LABELS[i] for i in best]
    assert model.classify(TEXTS[0]) == [LABELS[best[0]]]


def test_attention_is_shown_for_the_tokens_that_are_read(model: TextClassifier) -> None:
    for text in TEXTS:
        found = model.attention(text)
        assert found.maps.shape == (2, 2, len(found.tokens), len(found.tokens))
        assert len(found.tokens) <= model.context
        assert (found.tokens[0], found.tokens[-1]) == ("<s>", "</s>")
    assert "快递" in "".join(model.attention("快递").tokens[1:-1])


def test_no_texts_have_no_answers(model: TextClassifier) -> None:
    assert model.classify([]) == []
    assert model.predict([]).shape == (0, 3)


def test_a_text_is_cut_to_the_context_and_keeps_its_frame() -> None:
    assert classifier.truncate(Encoded([1, 2, 3, 4, 9], framed=True), 4) == ([1, 2, 3, 9], 1)
    assert classifier.truncate(Encoded([1, 2, 3, 4, 9], framed=False), 4) == ([1, 2, 3, 4], 1)
    assert classifier.truncate(Encoded([1, 2], framed=True), 4) == ([1, 2], 0)


def test_rows_are_padded_on_the_right() -> None:
    ids, mask = classifier.pad([[5], [6, 7, 8]])
    assert ids.tolist() == [[5, 0, 0], [6, 7, 8]]
    assert mask.tolist() == [[1, 0, 0], [1, 1, 1]]


def test_batches_hold_every_row_once_and_never_too_many_tokens() -> None:
    lengths = [int(n) for n in np.random.default_rng(0).integers(1, 90, 200)]
    batches = list(classifier.batches_by_length(lengths, 256))
    assert sorted(i for batch in batches for i in batch) == list(range(200))
    assert all(len(batch) * max(lengths[i] for i in batch) <= 256 for batch in batches)
    assert len(batches) < 60


def test_a_row_longer_than_a_batch_goes_alone() -> None:
    assert list(classifier.batches_by_length([300, 2], 256)) == [[1], [0]]


def test_the_head_reads_back_as_it_was_written(model: TextClassifier, tmp_path: Path) -> None:
    model.module.save_head(tmp_path)
    other = Classifier(model.module.encoder, len(LABELS)).eval()
    other.load_head(tmp_path)
    assert torch.equal(other.head.weight, model.module.head.weight)


@pytest.mark.parametrize("damage", ["missing", "other labels", "not safetensors"])
def test_a_head_that_does_not_fit_is_told(model: TextClassifier, tmp_path: Path, damage: str) -> None:
    if damage == "other labels":
        Classifier(model.module.encoder, 9).save_head(tmp_path)
    if damage == "not safetensors":
        (tmp_path / heads.FILE).write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError) as caught:
        Classifier(model.module.encoder, 3).load_head(tmp_path)
    assert caught.value.problems[0].code == "M09"


@pytest.mark.parametrize("name", ["stories260K-hf", "gpt2-tokenizer", "bert-base-chinese-vocab"])
def test_texts_encoded_together_have_the_ids_of_each_alone(shared_data: Path, name: str) -> None:
    tokens = Tokenizer.from_file(str(shared_data / "weights" / name / "tokenizer.json"))
    tokens.no_truncation()
    tokens.no_padding()
    texts = [text for text in TEXTS if text]
    assert [found.ids for found in classifier.encode(tokens, texts)] == [tokens.encode(t).ids for t in texts]
