from __future__ import annotations

import pytest
import torch

from tunesmith.core.errors import ModelError
from tunesmith.models import loading
from tunesmith.models.following import followed, pair
from tunesmith.models.language import prompt_ids
from tunesmith.models.resolve import Resolved
from tunesmith.models.writing import written


@pytest.fixture(scope="module")
def model(shared_data):
    return loading.load(Resolved(name="stories", folder=shared_data / "weights" / "stories260K-hf"))


def test_the_parts_of_a_text_add_up_to_its_likelihood(model):
    text = "Once upon a time there was a girl"
    ids = prompt_ids(model.tokenizer, text)
    with torch.inference_mode():
        logprobs = model.module(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
    expected = sum(float(logprobs[i, token]) for i, token in enumerate(ids[1:]))
    whole = pair(model.tokenizer, "", text)
    cut_in_two = pair(model.tokenizer, "Once upon a time ", "there was a girl")
    assert whole[0] + whole[1] == cut_in_two[0] + cut_in_two[1] == ids
    start = pair(model.tokenizer, "", "Once upon a time")
    found = followed(model, [whole, start, cut_in_two])
    assert found[0].logprob == pytest.approx(expected, abs=1e-4)
    assert found[1].logprob + found[2].logprob == pytest.approx(expected, abs=1e-4)


def test_what_the_model_writes_itself_is_greedy_and_the_rest_is_not(model):
    prompt = "Once upon a time"
    text = model.generate(prompt, max_new_tokens=5, temperature=0)
    own, other = followed(model, [pair(model.tokenizer, prompt, each) for each in (text, " zebra zebra")])
    assert own.greedy
    assert not other.greedy
    assert own.logprob > other.logprob


def test_a_prompt_longer_than_the_context_loses_its_start(model):
    long = pair(model.tokenizer, "a cat and " * 300, "a dog")
    kept = (long[0][-(model.context + 1 - len(long[1])) :], long[1])
    found, same = followed(model, [long, kept])
    assert found.cut > 0
    assert found.logprob == pytest.approx(same.logprob)


def test_many_prompts_are_continued_as_each_would_be_alone(model):
    texts = ["Once upon a time", "The dog", "Lily and Tom went", "One day, a big bird"] * 6
    ids = [prompt_ids(model.tokenizer, text) for text in texts]
    settings = {"max_new_tokens": 12, "temperature": 0.0, "stop": ["."]}
    together = [each.text for each in written(model, ids, **settings)]
    assert together[:4] == [model.generate(text, **settings) for text in texts[:4]]
    assert together[20:] == together[:4]


def test_a_prompt_leaves_room_for_what_is_written(model):
    (found,) = written(model, [[1] * 600], max_new_tokens=4, temperature=0.0)
    assert found.cut == 600 - (model.context - 4)


def test_a_continuation_that_no_context_holds_is_refused(model):
    with pytest.raises(ModelError, match="M12"):
        followed(model, [([1], [5] * (model.context + 1))])
    (whole,) = followed(model, [([1], [5] * model.context)])
    assert whole.logprob < 0


def test_nothing_before_a_text_is_told_where_no_token_begins_it(model):
    whole = pair(model.tokenizer, "", "Once upon a time")
    assert whole[0] == [1]  # this one's tokenizer begins texts itself
    with pytest.raises(ModelError, match="M80"):
        followed(model, [([], whole[1])])
