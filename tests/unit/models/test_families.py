"""Every family made from nothing learns, comes back from disk, and writes as transformers does."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import torch
import transformers
from tokenizers import Tokenizer
from torch import nn

from tunesmith.core.recipe import Scratch
from tunesmith.models import loading, scratch
from tunesmith.models.classifier import Classifier
from tunesmith.models.decoder import Decoder
from tunesmith.models.families import FAMILIES, problems
from tunesmith.models.sampling import Sampling

TEXTS = ["The parcel is late.", "快递三天没动了，什么时候能到？", "I was charged twice!"] * 3
LABELS = torch.tensor([0, 1, 0])
every = pytest.mark.parametrize("name", FAMILIES)
# Those of transformers itself: the reference decoder has no `generate` to compare with.
decoders = pytest.mark.parametrize(
    "name",
    [n for n, family in FAMILIES.items() if family.kind == "decoder" and hasattr(transformers, family.model)],
)


def sized(name: str, **more: Any) -> Scratch:
    values = {"hidden": 32, "layers": 2, "heads": 4, "vocab": 330, "context": 64, **more}
    return Scratch(architecture=name, **values)


def made(name: str, **more: Any) -> tuple[nn.Module, Tokenizer]:
    return scratch.make(sized(name, **more), TEXTS, seed=3)


def batch(tokenizer: Tokenizer) -> torch.Tensor:
    rows = [tokenizer.encode(text).ids[:12] for text in TEXTS[:3]]
    return torch.tensor([row + [0] * (12 - len(row)) for row in rows])


def loss(name: str, module: nn.Module, ids: torch.Tensor) -> torch.Tensor:
    kind = FAMILIES[name].kind
    if kind == "encoder":
        return nn.functional.cross_entropy(module(ids, (ids > 0).long()), LABELS)
    more = {"decoder_input_ids": ids[:, :-1]} if kind == "encoder_decoder" else {}
    logits = module(input_ids=ids if more else ids[:, :-1], **more).logits
    return nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())


def test_the_recipe_knows_the_same_families() -> None:
    assert set(get_args(Scratch.model_fields["architecture"].annotation)) == set(FAMILIES)


@every
def test_a_step_of_training_lowers_the_loss(name: str) -> None:
    module, tokenizer = made(name)
    module = Classifier(module, 2, dropout=0.0) if FAMILIES[name].kind == "encoder" else module
    ids = batch(tokenizer)
    module.eval()
    before = loss(name, module, ids)
    before.backward()
    torch.optim.SGD(module.parameters(), lr=0.02).step()
    assert loss(name, module, ids) < before


@every
def test_a_saved_model_comes_back_with_the_same_outputs(name: str, tmp_path: Path) -> None:
    module, tokenizer = made(name)
    module.save_pretrained(tmp_path)
    kind, ids = FAMILIES[name].kind, batch(tokenizer)
    load = {
        "decoder": loading.language_module,
        "encoder": loading.encoder_module,
        "encoder_decoder": loading.seq2seq_module,
    }[kind]
    more = {"decoder_input_ids": ids} if kind == "encoder_decoder" else {}
    first, second = (
        each.eval()(input_ids=ids, attention_mask=torch.ones_like(ids), **more)[0]
        for each in (module, load(tmp_path))
    )
    assert torch.equal(first, second)


@every
def test_the_same_seed_gives_the_same_weights(name: str) -> None:
    first, second = made(name)[0].state_dict(), made(name)[0].state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


@decoders
def test_a_batch_writes_what_transformers_writes(name: str) -> None:
    module, tokenizer = made(name)
    module.eval()
    prompts = [
        tokenizer.encode(text, add_special_tokens=False).ids for text in ("The", "快递三天没动了", "I was")
    ]
    decoder = Decoder(module, max_batch=3)
    sampling = Sampling(temperature=0, max_new_tokens=8)
    handles = [decoder.add(prompt, sampling) for prompt in prompts]
    written: dict[int, list[int]] = {handle: [] for handle in handles}
    while decoder.active:
        for token in decoder.step():
            written[token.handle].append(token.id)
    for prompt, handle in zip(prompts, handles, strict=True):
        ids = torch.tensor([prompt])
        whole = module.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=8, do_sample=False, eos_token_id=None
        )
        assert written[handle] == whole[0, len(prompt) :].tolist()


@pytest.mark.parametrize("name", [name for name, known in FAMILIES.items() if "kv_heads" in known.names])
def test_heads_may_share_keys_and_values(name: str) -> None:
    module, tokenizer = made(name, kv_heads=2)
    assert module.config.num_key_value_heads == 2
    assert torch.isfinite(module(input_ids=batch(tokenizer)).logits).all()


@pytest.mark.parametrize(
    ("size", "codes"),
    [
        (sized("gpt2", heads=32), []),
        (sized("llama", heads=32), ["M15"]),
        (sized("phi", heads=16), ["M15"]),
        (sized("llama", kv_heads=3), ["R20"]),
        (sized("bert", kv_heads=2), ["R20"]),
        (sized("bert", heads=5, kv_heads=2, tokenizer="wordpiece"), ["R21", "M15", "R20"]),
    ],
)
def test_sizes_that_cannot_be_made_are_all_told_at_once(size: Scratch, codes: list[str]) -> None:
    assert [code for code, _, _ in problems(size)] == codes
