"""Several adapters on one base in one batch: each sequence is continued by the model its adapter makes."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, PreTrainedModel

from tunesmith.core.errors import ModelError, NotFoundError
from tunesmith.models import adapters
from tunesmith.models.bank import Bank
from tunesmith.models.decoder import Decoder
from tunesmith.models.sampling import Sampling

GREEDY = Sampling(max_new_tokens=12)
PROMPT = [1, *range(30, 60)]
NAMES = (None, "first", "second")


def stories(shared_data: Path) -> PreTrainedModel:
    """Linear layers, a pass of our own."""
    folder = shared_data / "weights" / "stories260K-hf"
    module: PreTrainedModel = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return module.eval()


def gpt2(_: Path) -> PreTrainedModel:
    """Conv1D layers, the pass of transformers."""
    torch.manual_seed(4)
    config = GPT2Config(n_layer=2, n_head=2, n_embd=32, vocab_size=100, bos_token_id=0, eos_token_id=0)
    module = GPT2LMHeadModel(config).eval()
    for weight in module.parameters():
        nn.init.normal_(weight, std=0.15)
    return module


Family = Callable[[Path], PreTrainedModel]
families = pytest.mark.parametrize("family", [stories, gpt2])


def written_adapter(module: nn.Module, folder: Path, *, seed: int, rank: int) -> Path:
    """An adapter that changes what its model says."""
    adapters.add(module, rank=rank, alpha=8)
    torch.manual_seed(seed)
    for name, parameter in module.named_parameters():
        if "lora_" in name:
            nn.init.normal_(parameter, std=0.3)
    folder.mkdir()
    adapters.save(module, folder, base="base", task_type="CAUSAL_LM")
    return folder


@pytest.fixture
def folders(shared_data: Path, tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, Path]:
    family: Family = request.getfixturevalue("family")
    return {
        name: written_adapter(family(shared_data), tmp_path / name, seed=number, rank=2 + 2 * number)
        for number, name in enumerate(NAMES[1:])
        if name
    }


def written(decoder: Decoder, *asked: str | None, prompt: list[int] = PROMPT) -> list[list[int]]:
    """What follows a prompt, continued at the same time by each of these adapters."""
    found: dict[int, list[int]] = {decoder.add(prompt, GREEDY, name): [] for name in asked}
    while decoder.active:
        for token in decoder.step():
            found[token.handle].append(token.id)
    return list(found.values())


def alone(module: PreTrainedModel, folder: Path | None) -> list[int]:
    """What the model says into which an adapter is folded."""
    if folder:
        adapters.load(module, folder)
        adapters.merge(module)
    return written(Decoder(module.eval(), max_batch=1), None)[0]


@families
def test_rows_of_one_batch_say_what_each_merged_model_says_alone(
    shared_data: Path, folders: dict[str, Path], family: Family
) -> None:
    module = family(shared_data)
    bank = Bank(module)
    for name, folder in folders.items():
        bank.add(name, folder)
    expected = [alone(family(shared_data), folders.get(name or "")) for name in NAMES]
    assert len({tuple(answer) for answer in expected}) == 3
    decoder = Decoder(module, max_batch=8, bank=bank)
    assert written(decoder, *NAMES, *NAMES[::-1]) == [*expected, *expected[::-1]]
    assert written(decoder, "second", "second") == expected[2:] * 2


@families
def test_how_likely_a_text_is_depends_on_the_adapter(
    shared_data: Path, folders: dict[str, Path], family: Family
) -> None:
    module, merged = family(shared_data), family(shared_data)
    bank = Bank(module)
    bank.add("first", folders["first"])
    adapters.load(merged, folders["first"])
    decoder = Decoder(module, max_batch=1, bank=bank)
    found = [one.logprob for one in decoder.likelihoods(PROMPT, 0, "first")]
    of_merged = Decoder(merged.eval(), max_batch=1).likelihoods(PROMPT, 0)
    assert found == pytest.approx([one.logprob for one in of_merged], abs=1e-4)
    assert found != [one.logprob for one in decoder.likelihoods(PROMPT, 0)]


@pytest.mark.parametrize("family", [stories])
def test_beginnings_are_remembered_for_each_adapter_by_itself(
    shared_data: Path, folders: dict[str, Path], family: Family
) -> None:
    module = family(shared_data)
    bank = Bank(module)
    for name, folder in folders.items():
        bank.add(name, folder)
    decoder = Decoder(module, max_batch=4, remembered=2**24, bank=bank)
    first = [written(decoder, name)[0] for name in NAMES]
    assert decoder._past.known.reused == 0  # type: ignore[attr-defined]
    assert [written(decoder, name)[0] for name in NAMES] == first
    assert decoder._past.known.reused == 3 * (len(PROMPT) - 1)  # type: ignore[attr-defined]
    assert first == [alone(family(shared_data), folders.get(name or "")) for name in NAMES]


@pytest.mark.parametrize("family", [gpt2])
def test_one_that_is_taken_out_ends_what_it_began(
    shared_data: Path, folders: dict[str, Path], family: Family
) -> None:
    module = family(shared_data)
    bank = Bank(module)
    bank.add("first", folders["first"])
    decoder = Decoder(module, max_batch=2, bank=bank)
    decoder.add(PROMPT, GREEDY, "first")
    said = [token.id for token in decoder.step()]
    bank.remove("first")
    with pytest.raises(NotFoundError, match="S61"):
        decoder.add(PROMPT, GREEDY, "first")
    assert decoder.active == 1
    while decoder.active:
        said += [token.id for token in decoder.step()]
    assert said == alone(family(shared_data), folders["first"])


@pytest.mark.parametrize("family", [stories])
def test_one_that_is_taken_out_leaves_memory_as_soon_as_nobody_is_continued_by_it(
    shared_data: Path, folders: dict[str, Path], family: Family
) -> None:
    module = family(shared_data)
    bank = Bank(module)
    bank.add("first", folders["first"])
    decoder = Decoder(module, max_batch=2, remembered=2**24, bank=bank)
    expected = written(decoder, "first")
    factor = weakref.ref(next(iter(bank.find("first").factors.values()))[0])  # type: ignore[union-attr]
    bank.remove("first")
    assert factor() is None
    bank.add("first", folders["second"])  # another one of that name is not taken for it
    assert written(decoder, "first") != expected
    assert decoder._past.known.reused == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("family", [stories])
def test_one_is_taken_out_while_another_is_added(
    shared_data: Path, folders: dict[str, Path], family: Family
) -> None:
    bank = Bank(family(shared_data))
    bank.add("first", folders["first"])
    other = threading.Thread(target=bank.remove, args=["first"])

    class Slow(dict[str, Any]):
        def __or__(self, more: Any) -> Any:
            other.start()
            other.join(0.2)  # it may have to wait for us
            return super().__or__(more)

    bank._known = Slow(bank._known)
    bank.add("second", folders["second"])
    other.join()
    assert list(bank._known) == ["second"]


@pytest.mark.parametrize("family", [stories])
def test_an_adapter_of_another_model_is_refused_and_the_others_go_on(
    shared_data: Path, folders: dict[str, Path], family: Family, tmp_path: Path
) -> None:
    module = family(shared_data)
    bank = Bank(module)
    bank.add("first", folders["first"])
    before = written(Decoder(module, max_batch=2, bank=bank), None, "first")
    strange = written_adapter(gpt2(shared_data), tmp_path / "strange", seed=9, rank=2)
    with pytest.raises(ModelError, match="M21"):
        bank.add("strange", strange)
    assert bank.find("first") is not None
    assert written(Decoder(module, max_batch=2, bank=bank), None, "first") == before
