"""What a server tells of likelihoods: those of a plain forward pass, of prompts and of answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import openai
import pytest
import torch

from tunesmith.models.language import LanguageModel

PROMPT = "Once upon a time, there was a"
QUESTION: Any = [{"role": "user", "content": "Tell me about a little girl."}]


@pytest.fixture(scope="module")
def client(story_url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{story_url}/v1", api_key="none", max_retries=0) as client:
        yield client


def plain(model: LanguageModel, ids: Sequence[int]) -> list[float]:
    """The logarithms of the probabilities of all ids but the first, by transformers alone."""
    with torch.inference_mode():
        logprobs = model.module(torch.tensor([list(ids)])).logits[0, :-1].log_softmax(-1)
    return [float(row[token]) for row, token in zip(logprobs, ids[1:], strict=True)]


def test_a_prompt_is_read_as_an_evaluation_harness_reads_it(
    client: openai.OpenAI, stories: LanguageModel
) -> None:
    texts = [PROMPT, "The cat sat on the mat. 你好"]
    prompts = [stories.tokenizer.encode(text).ids for text in texts]
    made = client.completions.create(
        model="stories", prompt=prompts, echo=True, logprobs=1, max_tokens=1, temperature=0, seed=1234
    )
    for choice, ids, text in zip(made.choices, prompts, texts, strict=True):
        told: Any = choice.logprobs
        assert told.token_logprobs[0] is None
        assert told.token_logprobs[1:-1] == pytest.approx(plain(stories, ids), abs=2e-5)
        assert len(told.tokens) == len(told.top_logprobs) == len(ids) + 1
        greedy = [
            max(top.values()) == own
            for own, top in zip(told.token_logprobs, told.top_logprobs, strict=True)
            if top
        ]
        assert greedy[-1]
        assert choice.text.startswith(text)
    first: Any = made.choices[0].logprobs
    assert first.text_offset[:3] == [0, 0, PROMPT.index(first.tokens[2])]
    assert made.usage is not None
    assert made.usage.completion_tokens == 2


def test_a_prompt_may_be_read_without_an_answer(client: openai.OpenAI, stories: LanguageModel) -> None:
    made = client.completions.create(model="stories", prompt=PROMPT, echo=True, logprobs=0, max_tokens=0)
    told: Any = made.choices[0].logprobs
    ids = stories.tokenizer.encode(PROMPT).ids
    assert told.token_logprobs[1:] == pytest.approx(plain(stories, ids), abs=2e-5)
    assert (made.choices[0].text, made.choices[0].finish_reason) == (PROMPT, "length")
    assert made.usage is not None
    assert made.usage.completion_tokens == 0


@pytest.mark.parametrize("stream", [False, True])
def test_answers_tell_their_own_likelihoods(
    client: openai.OpenAI, stories: LanguageModel, stream: bool
) -> None:
    options: Any = {"model": "stories", "prompt": PROMPT, "max_tokens": 12, "temperature": 1, "seed": 3}
    made = client.completions.create(**options, logprobs=2, echo=True, stream=stream)
    choices = [event.choices[0] for event in made] if stream else [made.choices[0]]  # type: ignore[union-attr]
    told = [value for choice in choices for value in choice.logprobs.token_logprobs]
    tokens = [token for choice in choices for token in choice.logprobs.tokens]
    offsets = [offset for choice in choices for offset in choice.logprobs.text_offset]
    text = "".join(choice.text for choice in choices)
    assert text.startswith(PROMPT)
    assert "".join(tokens[1:]).lstrip() == text
    assert [text[a:b] for a, b in pairwise(offsets[2:])] == tokens[2:-1]
    ids = [stories.tokenizer.token_to_id("▁" + t[1:] if t.startswith(" ") else t) for t in tokens]
    assert told[1:] == pytest.approx(plain(stories, [i for i in ids if i is not None]), abs=2e-5)


@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_tells_likelihoods_with_bytes(client: openai.OpenAI, stream: bool) -> None:
    options: Any = {"model": "stories", "messages": QUESTION, "max_tokens": 9, "logprobs": True}
    made: Any = client.chat.completions.create(**options, top_logprobs=3, stream=stream)
    choices = [event.choices[0] for event in made] if stream else [made.choices[0]]
    content = [entry for choice in choices if choice.logprobs for entry in choice.logprobs.content]
    text = "".join((c.delta if stream else c.message).content or "" for c in choices)
    assert bytes(b for entry in content for b in entry.bytes).decode().lstrip() == text.lstrip()
    assert len(content) == 9
    for entry in content:  # greedy: the first of the likeliest
        assert (entry.token, entry.logprob) == (entry.top_logprobs[0].token, entry.top_logprobs[0].logprob)
        assert len(entry.top_logprobs) == 3


def test_biases_and_penalties_reach_the_model(client: openai.OpenAI, stories: LanguageModel) -> None:
    def ask(**options: Any) -> str:
        made = client.completions.create(model="stories", prompt=PROMPT, max_tokens=30, **options)
        return made.choices[0].text

    banned = stories.tokenizer.encode(PROMPT + ask()).ids[len(stories.tokenizer.encode(PROMPT).ids)]
    assert ask(logit_bias={str(banned): -100}) != ask()
    assert ask(frequency_penalty=2.0) != ask()
    assert ask(presence_penalty=0.0, frequency_penalty=0.0, logit_bias={}) == ask()


@pytest.mark.parametrize(
    ("change", "code"),
    [({"max_tokens": 0}, "S34"), ({"logit_bias": {"512": 1}}, "S21"), ({"logit_bias": {"x": 1}}, "S10"),
     ({"logprobs": 21}, "S10"), ({"best_of": 2}, "unsupported_parameter")],
)  # fmt: skip
def test_what_cannot_be_told_is_refused(client: openai.OpenAI, change: Any, code: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.completions.create(model="stories", prompt=PROMPT, **change)
    assert refused.value.code == code
