"""Several adapters on one packed model, in one batch: each row is written as its merged model writes it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, PreTrainedModel

from tunesmith.core.errors import ModelError, NotFoundError
from tunesmith.models import adapters
from tunesmith.models.decoder import Batching, Decoder
from tunesmith.models.sampling import Sampling
from tunesmith.serve.admission import Limits
from tunesmith.serve.native import building
from tunesmith.serve.native.bank import NativeBank
from tunesmith.serve.native.decoder import NativeDecoder
from tunesmith.serve.native.slots import PAGE

GREEDY = Sampling(max_new_tokens=12)
PROMPT = [1, *range(30, 30 + 2 * PAGE)]
# By name, the rank of each adapter and what it changes; two ranks that fill no panel, and one more than one.
RANKS: dict[str | None, tuple[int, list[str]]] = {
    "some": (3, ["q_proj", "v_proj", "down_proj"]),
    "all": (20, ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]),
}
NAMES = (None, *RANKS)


def written_adapter(module: PreTrainedModel, folder: Path, rank: int, targets: list[str] | str) -> Path:
    """An adapter that changes what its model says."""
    adapters.add(module, rank=rank, alpha=8, targets=targets)
    torch.manual_seed(rank)
    for name, parameter in module.named_parameters():
        if "lora_" in name:
            nn.init.normal_(parameter, std=0.1)
    folder.mkdir()
    adapters.save(module, folder, base="base", task_type="CAUSAL_LM")
    return folder


def merged(module: PreTrainedModel, folder: Path | None) -> PreTrainedModel:
    if folder:
        adapters.load(module, folder)
        adapters.merge(module)
    return module.eval()


def written(decoder: Batching, *asked: str | None) -> list[list[int]]:
    """What follows a prompt, continued at the same time by each of these adapters."""
    found: dict[int, list[int]] = {decoder.add(PROMPT, GREEDY, name): [] for name in asked}
    while decoder.active:
        for token in decoder.step():
            found[token.handle].append(token.id)
    return list(found.values())


class Stories:
    """A base, its adapters, and what each merged model writes."""

    def __init__(self, base: Path, tmp: Path) -> None:
        self._base = base
        self.folders = {
            name: written_adapter(self.module(), tmp / str(name), *how) for name, how in RANKS.items()
        }
        self.expected = [
            written(Decoder(merged(self.module(), self.folders.get(n)), max_batch=1), None)[0] for n in NAMES
        ]

    def module(self) -> PreTrainedModel:
        found: PreTrainedModel = AutoModelForCausalLM.from_pretrained(self._base, dtype=torch.float32)
        return found.eval()


@pytest.fixture(scope="module")
def stories(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Stories:
    return Stories(shared_data / "weights" / "stories260K-hf", tmp_path_factory.mktemp("adapters"))


@pytest.fixture(scope="module", params=[1, 2], ids=["one thread", "two threads"])
def decoder(stories: Stories, request: pytest.FixtureRequest) -> Iterator[NativeDecoder]:
    limits = Limits(batch=8, running_size=4096)
    made = building.decoder(stories.module(), "stories", "float32", limits, request.param)
    for name, folder in stories.folders.items():
        made.bank.add(str(name), folder)
    yield made
    made.close()


def test_rows_of_one_batch_say_what_each_merged_model_says_alone(
    stories: Stories, decoder: NativeDecoder
) -> None:
    assert len({tuple(answer) for answer in stories.expected}) == 3
    assert written(decoder, *NAMES, *NAMES[::-1]) == [*stories.expected, *stories.expected[::-1]]
    # The second time beginnings are known, to each adapter its own.
    assert [written(decoder, name)[0] for name in NAMES] == stories.expected


def test_pages_are_kept_for_each_adapter_by_itself(stories: Stories, decoder: NativeDecoder) -> None:
    decoder.clear()
    written(decoder, "all")
    known = [decoder._past.begin(100 + n, PROMPT, name) for n, name in enumerate(NAMES)]
    assert known == [0, 0, 2 * PAGE]
    decoder.clear()


def test_how_likely_a_text_is_depends_on_the_adapter(stories: Stories, decoder: NativeDecoder) -> None:
    theirs = Decoder(merged(stories.module(), stories.folders["all"]), max_batch=1).likelihoods(PROMPT, 0)
    ours = decoder.likelihoods(PROMPT, 0, "all")
    assert [one.logprob for one in ours] == pytest.approx([one.logprob for one in theirs], abs=1e-4)
    assert ours != decoder.likelihoods(PROMPT, 0)


def test_what_does_not_fit_is_refused_and_what_is_gone_is_unknown(
    stories: Stories, decoder: NativeDecoder, tmp_path: Path
) -> None:
    torch.manual_seed(4)
    other = GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=2, n_embd=32, vocab_size=100, n_positions=64))
    with pytest.raises(ModelError, match="M21"):
        decoder.bank.add("strange", written_adapter(other, tmp_path / "strange", 2, "all-linear"))
    decoder.bank.add("some more", stories.folders["some"])
    assert written(decoder, "some more") == [stories.expected[1]]
    decoder.bank.remove("some more")
    with pytest.raises(NotFoundError, match="S61"):
        decoder.add(PROMPT, GREEDY, "some more")


def test_one_is_taken_out_while_another_is_added(stories: Stories, decoder: NativeDecoder) -> None:
    bank = NativeBank(decoder.bank._sizes, decoder.bank._plan)
    bank.add("some", stories.folders["some"])
    other = threading.Thread(target=bank.remove, args=["some"])

    class Slow(dict[str, Any]):
        def __or__(self, more: Any) -> Any:
            other.start()
            other.join(0.2)  # it may have to wait for us
            return super().__or__(more)

    bank._known = Slow(bank._known)
    bank.add("all", stories.folders["all"])
    other.join()
    assert list(bank._known) == ["all"]
