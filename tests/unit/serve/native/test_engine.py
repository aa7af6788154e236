"""The engine answers exactly as the one over torch: tokens, probabilities, echo, seeds, and with others."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from tunesmith.core import durable
from tunesmith.core.errors import TunesmithError
from tunesmith.core.text import because
from tunesmith.models.decoder import Batching, Decoder, run
from tunesmith.models.language import LanguageModel
from tunesmith.models.sampling import Sampling
from tunesmith.serve.admission import Limits
from tunesmith.serve.choice import choose, kept
from tunesmith.serve.engine import Prompt, Reading
from tunesmith.serve.names import Computing
from tunesmith.serve.native import building, certificate, known, plan, store, threads
from tunesmith.serve.native.decoder import NativeDecoder
from tunesmith.serve.native.engine import uncovered
from tunesmith.serve.native.pages import Pages
from tunesmith.serve.native.slots import PAGE

LIMITS = Limits(batch=4, running_size=4096)
LONG = [1, *range(259, 259 + 100)]
WISHES = [
    ([1, 403, 407], Sampling(max_new_tokens=30)),
    ([1, 410, 444, 400], Sampling(max_new_tokens=30, temperature=0.8, top_p=0.9, seed=7, logprobs=3)),
    (LONG, Sampling(max_new_tokens=20, temperature=1.0, seed=3, presence_penalty=0.5, bias=((403, 1.0),))),
    ([*LONG[:70], 5, 6], Sampling(max_new_tokens=20, stop_ids=(2,))),
]


@pytest.fixture(scope="module")
def decoder(stories: LanguageModel) -> Iterator[NativeDecoder]:
    made = building.decoder(stories.module, stories.digest, "float32", LIMITS, 2)
    yield made
    made.close()


def written(decoder: Batching, wishes=WISHES) -> list[list[int]]:
    """All at once, each with its tokens."""
    decoder.clear()
    handles = [decoder.add(ids, sampling) for ids, sampling in wishes]
    found: dict[int, list[int]] = {handle: [] for handle in handles}
    while decoder.active:
        for token in decoder.step():
            found[token.handle].append(token.id)
    return list(found.values())


def test_it_writes_what_torch_writes_with_the_same_seeds(stories: LanguageModel, decoder: Batching) -> None:
    expected = [[t.id for t in run(Decoder(stories.module, max_batch=1), *wish)] for wish in WISHES]
    assert written(decoder) == expected


def test_a_beginning_that_is_known_changes_nothing(decoder: Batching) -> None:
    alone = written(decoder, [WISHES[2]])
    handle = decoder.add(*WISHES[2])
    assert len(decoder._newcomers[handle].unread) == len(LONG) - 3 * PAGE
    decoder.remove(handle)
    again = [[t.id for t in run(decoder, *WISHES[2])]]
    assert again == alone


def test_what_another_left_in_a_page_is_not_read(decoder: NativeDecoder) -> None:
    expected = written(decoder)
    decoder._model._work.values[0][:] = np.nan
    assert written(decoder) == expected


def test_likelihoods_are_torchs(stories: LanguageModel, decoder: Batching) -> None:
    theirs = Decoder(stories.module, max_batch=1).likelihoods(LONG, 2)
    ours = decoder.likelihoods(LONG, 2)
    assert [one.logprob for one in ours] == pytest.approx([one.logprob for one in theirs], abs=1e-4)
    assert [[i for i, _ in one.top] for one in ours] == [[i for i, _ in one.top] for one in theirs]


def test_it_serves_reads_and_closes(stories: LanguageModel) -> None:
    wished = Computing(weights="int8", kv_cache="int8")
    chosen = choose(stories.module, LIMITS, stories.digest, wished)
    assert chosen.computed == "native int8"
    assert chosen.instead is None
    told = next(one for one in certificate.known(stories.digest) if one["kv_cache"] == "int8")
    assert told["weights"] == "int8"
    assert 0.9 < told["agreement"] <= 1
    assert told["perplexity"] == pytest.approx(told["perplexity_float32"], rel=0.05)

    async def play() -> list[object]:
        stream = chosen.engine.submit([Prompt([1, 403], Sampling(max_new_tokens=3), read=0)])
        return [item async for _, item in stream]

    items = asyncio.run(play())
    assert isinstance(items[0], Reading)
    assert len(items) == 4
    chosen.engine.close()
    # The next start does without the model.
    again = kept(stories.digest, LIMITS, wished)
    assert again is not None
    assert (again.computed, again.engine.vocabulary) == ("native int8", 512)
    chosen = again
    assert asyncio.run(play()) == items
    chosen.engine.close()


def test_what_is_not_known_or_damaged_has_to_be_loaded(
    stories: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(store.SETTING, str(tmp_path))
    tmp_path.chmod(0o700)
    assert kept(stories.digest, LIMITS, Computing()) is None
    choose(stories.module, LIMITS, stories.digest, Computing()).engine.close()
    found = known.find(stories.digest, Computing())
    assert found is not None
    assert found.plan == plan.plan(stories.module.config)
    assert kept(stories.digest, LIMITS, Computing(engine="torch")) is None
    assert kept(stories.digest, LIMITS, Computing(weights="int4")) is None
    [packed] = store.packed().glob("*.safetensors")
    packed.write_bytes(packed.read_bytes()[:-1])
    assert kept(stories.digest, LIMITS, Computing()) is None


def test_a_model_that_is_not_covered_goes_to_torch_and_says_why(stories: LanguageModel) -> None:
    from transformers import FalconConfig, FalconForCausalLM

    small = {"vocab_size": 30, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    module = FalconForCausalLM(FalconConfig(**small)).eval()
    assert uncovered(module) is not None
    chosen = choose(module, LIMITS, "", Computing())
    assert chosen.computed == "torch"
    assert chosen.instead == uncovered(module) == {"why": "native.maps", "value": "FalconLinear"}
    chosen.engine.close()
    for wished, code in (
        (Computing(engine="native"), "N06"),
        (Computing(engine="torch", weights="int8"), "N07"),
        (Computing(engine="torch", kv_cache="int8"), "N07"),
    ):
        with pytest.raises(TunesmithError) as error:
            choose(module, LIMITS, "", wished)
        assert error.value.problems[0].code == code
    with pytest.raises(TunesmithError, match="cause: maps of kind FalconLinear"):
        choose(module, LIMITS, "", Computing(engine="native"))


def test_weights_without_a_digest_are_not_taken_for_others(stories: LanguageModel) -> None:
    chosen = choose(stories.module, LIMITS, "", Computing())
    chosen.engine.close()
    assert chosen.computed == "torch"
    assert chosen.instead is not None
    assert because(chosen.instead, "en") == "weights that have no digest"
    assert because(chosen.instead, "zh") == "权重没有摘要"


def test_a_cache_that_others_may_write_to_is_not_used(
    stories: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(store.SETTING, str(tmp_path))
    tmp_path.chmod(0o770)
    chosen = choose(stories.module, LIMITS, stories.digest, Computing())
    chosen.engine.close()
    assert chosen.computed == "torch"
    assert str(tmp_path) in because(chosen.instead or {}, "zh")
    with pytest.raises(TunesmithError) as error:
        choose(stories.module, LIMITS, stories.digest, Computing(weights="int8"))
    assert error.value.problems[0].code == "N08"


def test_what_was_not_used_for_longest_makes_room(tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.safetensors" for n in range(4)]
    for number, path in enumerate(paths):
        path.write_bytes(bytes(100))
        os.utime(path, (number, number))
    (tmp_path / "certificate.json").write_text("{}")
    store.used(paths[0], 250)
    assert sorted(tmp_path.glob("*.safetensors")) == [paths[0], paths[3]]
    store.used(paths[3], 10)
    assert {path.name for path in tmp_path.iterdir()} == {"3.safetensors", "certificate.json"}


def test_what_another_process_is_writing_or_has_removed_is_no_matter(tmp_path: Path) -> None:
    ours = tmp_path / "ours.safetensors"
    ours.write_bytes(bytes(100))
    with durable.new_file(tmp_path / "theirs.safetensors") as temporary:
        temporary.write_bytes(bytes(100))
        store.used(ours, 150)
    ours.unlink()
    store.used(ours, 150)
    assert [path.name for path in tmp_path.iterdir()] == ["theirs.safetensors"]


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("gpt2", {"activation_function": "silu"}),
        ("gpt2", {"scale_attn_by_inverse_layer_idx": True}),
        (
            "llama",
            {
                "rope_parameters": {
                    "rope_type": "linear",
                    "rope_theta": 1e4,
                    "factor": 2.0,
                    "partial_rotary_factor": 0.5,
                }
            },
        ),
    ],
)
def test_what_would_be_computed_otherwise_is_not_covered(kind: str, settings: dict[str, Any]) -> None:
    known = CONFIG_MAPPING[kind]
    assert plan.uncovered(known()) is None
    assert plan.uncovered(known(**settings)) is not None


def test_a_team_is_no_larger_than_what_tells_who_sleeps_or_a_container_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(200)), raising=False)
    monkeypatch.setattr(threads, "_QUOTAS", ((tmp_path / "cpu.max",),))
    assert threads.count() == 63
    for limit, cores in (("max 100000", 63), ("250000 100000", 2), ("50000 100000", 1)):
        (tmp_path / "cpu.max").write_text(limit)
        assert threads.count() == cores


def test_the_beginning_of_a_long_sequence_is_kept_longest() -> None:
    pages = Pages(8, 2, lambda page: None)
    ids = list(range(4 * PAGE))
    long = pages.begin(ids)
    pages.reserve(long, len(ids))
    pages.wrote(long, ids)
    pages.drop(long)
    assert pages.begin(ids).length == 2 * PAGE


def test_pages_are_shared_given_back_and_forgotten_when_others_need_them() -> None:
    pages = Pages(6, 2, lambda page: None)
    ids = list(range(2 * PAGE + 5))
    first = pages.begin(ids)
    pages.reserve(first, len(ids))
    pages.wrote(first, ids)
    second = pages.begin(ids)
    assert second.length == 2 * PAGE
    assert second.pages == first.pages[:2]
    assert pages.begin([*ids[:PAGE], 7, *ids]).length == PAGE
    pages.drop(first)
    pages.drop(second)
    third = pages.begin([])
    with pytest.raises(TunesmithError) as error:
        pages.reserve(third, 7 * PAGE)
    assert error.value.problems[0].code == "N05"
