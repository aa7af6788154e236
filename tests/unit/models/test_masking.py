"""What is hidden of texts, and the heads that say it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModel

from tunesmith.core.errors import ModelError
from tunesmith.models import masked, masking, tokenizer

WORDS = ["the", "parcel", "is", "late", "and", "nobody", "knows", "where", "it", "may", "be", "by", "now"]


@pytest.fixture(scope="module")
def tokens() -> Any:
    return tokenizer.train([" ".join(WORDS)] * 3, vocab=300)


def test_fifteen_percent_are_hidden_and_most_of_them_masked(tokens: Any) -> None:
    masks = masking.of(tokens)
    ids = np.array([1, *np.random.default_rng(0).choice(masks.ordinary, 20_000), 2])
    target = masks.choose(ids)
    hidden = target > 0
    assert hidden.sum() == 3000
    assert not hidden[[0, -1]].any()
    shown = masks.shown(ids, target)
    assert (shown[~hidden] == ids[~hidden]).all()
    assert abs((shown[hidden] == masks.mask).mean() - 0.8) < 0.03
    assert abs((shown[hidden] == ids[hidden]).mean() - 0.1) < 0.03
    assert not np.isin(shown[1:-1], masks.special[masks.special != masks.mask]).any()


def test_the_same_text_is_masked_alike_unless_it_is_drawn(tokens: Any) -> None:
    masks = masking.of(tokens)
    ids = np.array(tokens.encode(" ".join(WORDS)).ids, dtype=np.int32)
    target = masks.choose(ids)
    assert (masks.choose(ids.astype(np.uint16)) == target).all()
    assert (masks.shown(ids.astype(np.uint16), target) == masks.shown(ids, target)).all()
    drawn = [masks.choose(ids, np.random.default_rng(seed)) for seed in range(5)]
    assert {int((one > 0).sum()) for one in drawn} == {int((target > 0).sum())}
    assert len({one.tobytes() for one in drawn}) > 1


def test_a_text_of_one_token_is_hidden_and_an_empty_one_is_not(tokens: Any) -> None:
    masks = masking.of(tokens)
    assert masks.choose(np.array([1, masks.ordinary[0], 2])).tolist() == [-1, 1, -1]
    assert masks.choose(np.array([1, 2])).tolist() == [-1, -1]


def _config(kind: str) -> Any:
    sizes: dict[str, Any] = {
        "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
    }  # fmt: skip
    if kind == "distilbert":
        sizes = {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 32}
    if kind in ("albert", "electra"):
        sizes["embedding_size"] = 8
    if kind == "modernbert":
        sizes |= dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "sep_token_id"), 0)
        sizes["cls_token_id"] = 0
    return AutoConfig.for_model(kind, vocab_size=50, **sizes)


@pytest.mark.parametrize("kind", sorted(masked._HEADS))
def test_the_head_of_each_type_says_what_the_whole_model_says(kind: str) -> None:
    torch.manual_seed(0)
    encoder = AutoModel.from_config(_config(kind))
    module: Any = masked.begin(encoder).eval()
    assert module.base_model is encoder
    masked.fit(module, 51)
    assert module.get_output_embeddings().weight is encoder.get_input_embeddings().weight
    ids = torch.tensor([[3, 50, 5]])
    found = masked.head(module)
    states = module.base_model(input_ids=ids).last_hidden_state
    torch.testing.assert_close(found.project(states), module(input_ids=ids).logits)
    assert module.get_output_embeddings().weight in set(found.parameters)


def test_a_type_without_a_known_head_is_refused() -> None:
    encoder = AutoModel.from_config(
        AutoConfig.for_model(
            "gpt2", n_embd=16, n_layer=1, n_head=2, vocab_size=50, bos_token_id=0, eos_token_id=0
        )
    )
    with pytest.raises(ModelError, match="T24"):
        masked.begin(encoder)
