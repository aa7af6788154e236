"""Continuous batching: whoever joins and leaves, each sequence gets the tokens it would get alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    MambaConfig,
    MambaForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from tunesmith.core.errors import ModelError, UsageError
from tunesmith.models.decoder import Decoder, run
from tunesmith.models.sampling import Sampling

PROMPTS = [[5, 6, 7], [9] * 11, [3], [20, 21, 22, 23, 24, 25, 26, 30], [40, 41]]
JOINED = [0, 3, 5, 9, 10]  # the step before which each prompt joins


def gpt2(_: Path) -> PreTrainedModel:
    config = GPT2Config(
        n_layer=2, n_head=2, n_embd=32, vocab_size=100, n_positions=64,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    return _random(GPT2LMHeadModel(config))


def qwen2_with_a_sliding_window(_: Path) -> PreTrainedModel:
    config = Qwen2Config(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        intermediate_size=64, vocab_size=100, max_position_embeddings=64,
        use_sliding_window=True, sliding_window=6, max_window_layers=1,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    return _random(Qwen2ForCausalLM(config))


def stories(shared_data: Path) -> PreTrainedModel:
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        shared_data / "weights" / "stories260K-hf", dtype=torch.float32
    )
    return model.eval()


def _random(model: PreTrainedModel) -> PreTrainedModel:
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for weight in model.parameters():
            # Larger than the usual start, so that answers differ from prompt to prompt.
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.15)
    return model.eval()


@pytest.fixture
def model(request: pytest.FixtureRequest, shared_data: Path) -> PreTrainedModel:
    make: Callable[[Path], PreTrainedModel] = request.param
    return make(shared_data)


@pytest.fixture
def tiny(shared_data: Path) -> PreTrainedModel:
    return gpt2(shared_data)


def alone(model: PreTrainedModel, prompt: Sequence[int], new: int) -> list[int]:
    """What transformers makes of a prompt."""
    ids = torch.tensor([list(prompt)])
    model.generation_config.max_length = None
    generated = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=new,
        eos_token_id=None,
        pad_token_id=0,
    )
    tokens: list[int] = generated[0, len(prompt) :].tolist()
    return tokens


def together(decoder: Decoder, samplings: Sequence[Sampling]) -> list[list[int]]:
    """Tokens of all prompts, each joining the batch at its time."""
    made: list[list[int]] = [[] for _ in PROMPTS]
    handles: dict[int, int] = {}
    step = 0
    while step <= max(JOINED) or decoder.active:
        for i in [i for i, at in enumerate(JOINED) if at == step]:
            handles[decoder.add(PROMPTS[i], samplings[i])] = i
        for token in decoder.step():
            made[handles[token.handle]].append(token.id)
        step += 1
    return made


@pytest.mark.parametrize(
    "model", [gpt2, qwen2_with_a_sliding_window, stories], indirect=True, ids=lambda m: m.__name__
)
def test_greedy_equals_transformers_token_for_token(model: PreTrainedModel) -> None:
    lengths = [20, 9, 26, 29, 12]
    decoder = Decoder(model, max_batch=len(PROMPTS))
    made = together(decoder, [Sampling(max_new_tokens=length) for length in lengths])
    assert made == [alone(model, p, n) for p, n in zip(PROMPTS, lengths, strict=True)]


@pytest.mark.parametrize(
    "model", [gpt2, qwen2_with_a_sliding_window, stories], indirect=True, ids=lambda m: m.__name__
)
def test_prompts_read_in_chunks_are_continued_as_if_read_whole(model: PreTrainedModel) -> None:
    samplings = [Sampling(max_new_tokens=8)] * len(PROMPTS)
    whole = together(Decoder(model, max_batch=len(PROMPTS)), samplings)
    assert together(Decoder(model, max_batch=len(PROMPTS), chunk=3), samplings) == whole


def test_a_long_prompt_holds_nobody_up(tiny: PreTrainedModel) -> None:
    decoder = Decoder(tiny, max_batch=3, chunk=8)
    short = decoder.add([1, 2], Sampling(max_new_tokens=20))
    decoder.step()
    long = decoder.add([3] * 40, Sampling(max_new_tokens=2))
    late = decoder.add([4], Sampling(max_new_tokens=2))
    came = [{token.handle for token in decoder.step()} for _ in range(6)]
    assert [handles & {short, late} for handles in came[:2]] == [{short, late}] * 2
    assert [long in handles for handles in came] == [False, False, False, False, False, True]


def test_prompts_that_are_read_one_by_one_each_get_their_own_logits(
    tiny: PreTrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = [[1, 2, 3], [9, 8], [5]]
    expected = [alone(tiny, ids, 1) for ids in prompts]
    decoder = Decoder(tiny, max_batch=4)
    read, place = decoder._logits, dict[str, torch.Tensor]()

    def in_one_place(reads: Any) -> torch.Tensor:
        if len(reads) > 1:
            raise RuntimeError("together they break the model")
        found = read(reads)
        return place.setdefault("it", torch.empty_like(found)).copy_(found)

    monkeypatch.setattr(decoder, "_logits", in_one_place)
    handles = [decoder.add(ids, Sampling(max_new_tokens=1)) for ids in prompts]
    said = {token.handle: token.id for token in decoder.step(lambda *_: None)}
    assert [[said[handle]] for handle in handles] == expected


def test_a_prompt_that_breaks_the_model_fails_alone(
    tiny: PreTrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = tiny.forward

    def breaking(input_ids: torch.Tensor, **rest: object) -> object:
        if 66 in input_ids:
            raise RuntimeError("a prompt that breaks the model")
        return forward(input_ids=input_ids, **rest)

    expected = alone(tiny, [1, 2, 3], 5)
    monkeypatch.setattr(tiny, "forward", breaking)
    decoder, failures = Decoder(tiny, max_batch=3), dict[int, Exception]()
    good, bad = (decoder.add(ids, Sampling(max_new_tokens=5)) for ids in ([1, 2, 3], [4, 66]))
    made: list[int] = []
    while decoder.active:
        made += [token.id for token in decoder.step(failures.__setitem__) if token.handle == good]
    assert made == expected
    assert list(failures) == [bad]
    decoder.add([66], Sampling(max_new_tokens=5))
    with pytest.raises(RuntimeError, match="breaks"):
        decoder.step()


@pytest.mark.parametrize(("prompts", "new"), [(2, 50), pytest.param(100, 100, marks=pytest.mark.faults)])
def test_stories_told_at_once_are_those_told_one_by_one_and_by_transformers(
    shared_data: Path, prompts: int, new: int
) -> None:
    model = stories(shared_data)
    numbers = torch.Generator().manual_seed(11)
    asked = [
        [1, *torch.randint(3, 512, (int(size),), generator=numbers).tolist()]
        for size in torch.randint(1, 90, (prompts,), generator=numbers)
    ]
    expected = [alone(model, ids, new) for ids in asked]
    for batch in (1, 32):
        assert continue_all(model, asked, new=new, batch=batch) == expected


def continue_all(
    model: PreTrainedModel, asked: Sequence[list[int]], *, new: int, batch: int
) -> list[list[int]]:
    """Greedy answers, each as soon as there is a place."""
    decoder, waiting = Decoder(model, max_batch=batch), list(enumerate(asked))
    made: list[list[int]] = [[] for _ in asked]
    running: dict[int, int] = {}
    while waiting or decoder.active:
        while waiting and decoder.active < batch:
            number, ids = waiting.pop(0)
            running[decoder.add(ids, Sampling(max_new_tokens=new))] = number
        for token in decoder.step():
            made[running[token.handle]].append(token.id)
    return made


def test_samples_do_not_depend_on_the_neighbours(tiny: PreTrainedModel) -> None:
    samplings = [Sampling(max_new_tokens=15, temperature=0.8, seed=i) for i in range(len(PROMPTS))]
    made = together(Decoder(tiny, max_batch=8), samplings)
    one_by_one = [
        [token.id for token in run(Decoder(tiny, max_batch=1), prompt, sampling)]
        for prompt, sampling in zip(PROMPTS, samplings, strict=True)
    ]
    assert made == one_by_one


def test_a_stop_id_ends_a_sequence_and_is_its_last_token(tiny: PreTrainedModel) -> None:
    free = [token.id for token in run(Decoder(tiny, max_batch=1), [5], Sampling(max_new_tokens=10))]
    stop = free[4]
    sampling = Sampling(max_new_tokens=10, stop_ids=(stop,))
    tokens = list(run(Decoder(tiny, max_batch=1), [5], sampling))
    assert [token.id for token in tokens] == free[: free.index(stop) + 1]
    assert [token.finish for token in tokens] == [None] * free.index(stop) + ["stop"]


def test_a_sequence_ends_at_the_context(tiny: PreTrainedModel) -> None:
    prompt = [1] * 60
    tokens = list(run(Decoder(tiny, max_batch=1), prompt, Sampling(max_new_tokens=100)))
    assert len(tokens) == 4
    assert tokens[-1].finish == "length"
    assert [token.id for token in tokens] == alone(tiny, prompt, 4)


def test_removing_sequences_leaves_the_others_as_they_were(tiny: PreTrainedModel) -> None:
    decoder = Decoder(tiny, max_batch=3)
    sampling = Sampling(max_new_tokens=12)
    long, short = decoder.add([9] * 30, sampling), decoder.add([4, 5], sampling)
    made = [token.id for _ in range(5) for token in decoder.step() if token.handle == short]
    decoder.remove(long)
    decoder.remove(decoder.add([7], sampling))
    while decoder.active:
        made += [token.id for token in decoder.step()]
    assert made == alone(tiny, [4, 5], 12)


def test_logprobs_are_those_of_a_plain_forward_pass(tiny: PreTrainedModel) -> None:
    sampling = Sampling(max_new_tokens=6, temperature=1.0, seed=2, logprobs=0)
    tokens = list(run(Decoder(tiny, max_batch=1), [3, 4], sampling))
    ids = torch.tensor([[3, 4, *(token.id for token in tokens)]])
    with torch.inference_mode():
        expected = tiny(ids).logits[0, 1:-1].log_softmax(-1)
    for row, token in zip(expected, tokens, strict=True):
        assert token.likelihood is not None
        assert token.likelihood.logprob == pytest.approx(float(row[token.id]), abs=1e-4)


def test_a_run_that_is_given_up_leaves_the_decoder_free(tiny: PreTrainedModel) -> None:
    decoder = Decoder(tiny, max_batch=1)
    tokens = run(decoder, [1, 2], Sampling(max_new_tokens=30))
    next(tokens)
    tokens.close()  # type: ignore[attr-defined]
    assert decoder.active == 0


@pytest.mark.parametrize(("ids", "code"), [([], "S22"), ([1] * 64, "S02"), ([5, 100], "S21"), ([-1], "S21")])
def test_impossible_prompts_never_reach_the_model(
    tiny: PreTrainedModel, ids: list[int], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = Decoder(tiny, max_batch=1)
    monkeypatch.setattr(tiny, "forward", lambda **_: pytest.fail("the model was called"))
    with pytest.raises(UsageError) as error:
        decoder.add(ids, Sampling(max_new_tokens=1))
    assert error.value.problems[0].code == code


def test_a_full_batch_takes_no_more(tiny: PreTrainedModel) -> None:
    decoder = Decoder(tiny, max_batch=1)
    decoder.add([1], Sampling(max_new_tokens=5))
    with pytest.raises(UsageError, match="S25"):
        decoder.add([2], Sampling(max_new_tokens=5))


def test_a_model_with_another_kind_of_memory_is_refused_by_name() -> None:
    model = MambaForCausalLM(MambaConfig(hidden_size=16, num_hidden_layers=1, vocab_size=10))
    with pytest.raises(ModelError, match="mamba"):
        Decoder(model, max_batch=1)
