"""The routes of tasks say what the models say without a server, alone and many at once."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import openai
import pytest
import torch
from transformers import BertConfig, BertModel

from tunesmith.models import tokenizer as tokenizers
from tunesmith.models.embedder import TextEmbedder
from tunesmith.models.heads import Headed
from tunesmith.models.reader import TextReader
from tunesmith.models.reference import EncoderDecoderConfig, ReferenceForSeq2SeqLM
from tunesmith.models.scorer import Scorer, TextScorer
from tunesmith.models.tagger import TextTagger
from tunesmith.models.translator import Translator
from tunesmith.serve.client import Client
from tunesmith.serve.deployment import deploy
from tunesmith.serve.server import serving

TEXTS = ["Ada lives in Paris.", "猫坐在垫子上。", "", "The parcel came on Monday, and again on Friday."]
TOKENS = tokenizers.train(TEXTS * 3, kind="bpe", vocab=300)
SIZE = {"vocab_size": 300, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}


def encoder() -> BertModel:
    return BertModel(BertConfig(**SIZE, intermediate_size=16, max_position_embeddings=64)).eval()


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    """One tiny model of each task, its numbers by chance."""
    torch.manual_seed(0)
    shared: dict[str, Any] = {"tokenizer": TOKENS, "context": 64}
    writer = EncoderDecoderConfig(**SIZE, max_position_embeddings=64, pad_token_id=0, eos_token_id=2)
    made = [
        TextTagger(name="tagger", module=Headed(encoder(), 3).eval(), labels=("x",), **shared),
        TextReader(name="reader", module=Headed(encoder(), 2).eval(), labels=(), **shared),
        TextScorer(name="scorer", module=Scorer(encoder()).eval(), **shared),
        TextEmbedder(name="embedder", module=encoder(), **shared),
        Translator(name="translator", module=ReferenceForSeq2SeqLM(writer).eval(), **shared),
        Translator(name="writer", module=ReferenceForSeq2SeqLM(writer).eval(), task="summarise", **shared),
    ]
    for model in made:
        for parameter in model.module.parameters():
            parameter.data.add_(torch.randn_like(parameter) * 0.3)
    return {model.name: model for model in made}


@pytest.fixture(scope="module")
def http(models: dict[str, Any]) -> Iterator[httpx.Client]:
    with serving([deploy(model) for model in models.values()]) as url, httpx.Client(base_url=url) as client:
        yield client


def ask(http: httpx.Client, route: str, **body: Any) -> list[dict[str, Any]]:
    response = http.post(f"/v1/{route}", json=body, timeout=60)
    assert response.status_code == 200, response.text
    data: list[dict[str, Any]] = response.json()["data"]
    assert [row.pop("index") for row in data] == list(range(len(data)))
    return data


def test_names_are_found_with_places_and_probabilities(http: httpx.Client, models: dict[str, Any]) -> None:
    found = ask(http, "tag", model="tagger", input=TEXTS)
    expected = models["tagger"].tag(TEXTS)
    assert [len(row["entities"]) for row in found] == [len(row) for row in expected]
    assert sum(map(len, expected)) > 3
    for row, entities, text in zip(found, expected, TEXTS, strict=True):
        for said, entity in zip(row["entities"], entities, strict=True):
            assert said["text"] == text[said["start"] : said["end"]] == entity.text
            assert said["probability"] == pytest.approx(entity.probability, abs=1e-5)


def test_questions_are_answered_from_texts(http: httpx.Client, models: dict[str, Any]) -> None:
    asked = [{"question": "Where is Ada?", "context": text} for text in TEXTS]
    found = ask(http, "answer", model="reader", input=asked)
    expected = models["reader"].answer([a["question"] for a in asked], TEXTS)
    assert [row["text"] for row in found] == [answer.text for answer in expected]
    probabilities = [answer.probability for answer in expected]
    assert [row["probability"] for row in found] == pytest.approx(probabilities, abs=1e-5)
    assert ask(http, "answer", model="reader", input=asked[0])[0]["text"] == found[0]["text"]


@pytest.mark.parametrize(("route", "name"), [("translate", "translator"), ("summarise", "writer")])
def test_texts_are_written_anew(http: httpx.Client, models: dict[str, Any], route: str, name: str) -> None:
    with ThreadPoolExecutor(4) as pool:  # requests of different beams wait together
        found = list(
            pool.map(lambda beams: ask(http, route, model=name, input=TEXTS[:2], beams=beams), (1, 2, 1, 2))
        )
    for beams, rows in zip((1, 2, 1, 2), found, strict=True):
        assert [row["text"] for row in rows] == models[name].translate(TEXTS[:2], beams=beams)
    other = {"translate": "summarise", "summarise": "translate"}[route]
    refused = http.post(f"/v1/{other}", json={"model": name, "input": "a"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "S08")


def test_scores_are_the_models(http: httpx.Client, models: dict[str, Any]) -> None:
    found = ask(http, "score", model="scorer", input=TEXTS)
    assert [row["score"] for row in found] == pytest.approx(models["scorer"].score(TEXTS).tolist(), abs=1e-5)


def test_vectors_are_the_models_in_every_form(http: httpx.Client, models: dict[str, Any]) -> None:
    expected = models["embedder"].embed(TEXTS)
    numbers = ask(http, "embeddings", model="embedder", input=TEXTS)
    assert np.array([row["embedding"] for row in numbers]) == pytest.approx(expected, abs=1e-6)
    ids = models["embedder"].encode(TEXTS)
    by_ids = ask(http, "embeddings", model="embedder", input=ids, encoding_format="base64")
    raw = [np.frombuffer(base64.b64decode(row["embedding"]), dtype="<f4") for row in by_ids]
    assert np.stack(raw) == pytest.approx(expected, abs=1e-6)
    short = ask(http, "embeddings", model="embedder", input=TEXTS[0], dimensions=4)[0]["embedding"]
    assert np.array(short) == pytest.approx(expected[0, :4] / np.linalg.norm(expected[0, :4]), abs=1e-6)
    with openai.OpenAI(base_url=f"{http.base_url}/v1", api_key="none") as client:
        made = client.embeddings.create(model="embedder", input=TEXTS[:2])
    assert made.data[1].embedding == pytest.approx(expected[1].tolist(), abs=1e-6)
    assert made.usage.prompt_tokens == sum(map(len, models["embedder"].encode(TEXTS[:2])))


@pytest.mark.parametrize(
    ("change", "code"),
    [({"dimensions": 17}, "S35"), ({"input": [[5, 300]]}, "S21"), ({"input": []}, "S10"),
     ({"encoding_format": "int8"}, "S10"), ({"model": "scorer"}, "S08")],
)  # fmt: skip
def test_vectors_that_cannot_be_given_are_refused(http: httpx.Client, change: Any, code: str) -> None:
    response = http.post("/v1/embeddings", json={"model": "embedder", "input": "a", **change})
    assert (response.status_code, response.json()["error"]["code"]) == (400, code)


def test_tokens_are_told_and_put_together_again(http: httpx.Client) -> None:
    found = ask(http, "tokenize", model="tagger", input=TEXTS)
    assert [row["ids"] for row in found] == [TOKENS.encode(text).ids for text in TEXTS]
    assert "".join(found[0]["texts"]) == f"<s>{TEXTS[0]}</s>"
    texts = ask(http, "detokenize", model="tagger", ids=[row["ids"] for row in found])
    assert [row["text"] for row in texts] == TEXTS
    refused = http.post("/v1/tokenize", json={"model": "tagger"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "S37")


def test_a_conversation_is_told_as_the_model_is_asked_it(story_url: str, stories: Any) -> None:
    messages = [{"role": "user", "content": "Who is Lily?"}]
    with httpx.Client(base_url=story_url) as http:
        found = ask(http, "tokenize", model="stories", messages=messages)
        assert found[0]["ids"] == stories.contract.encode(stories.tokenizer, messages)
        refused = http.post("/v1/tokenize", json={"model": "vowels", "input": "a"})
        assert refused.json()["error"]["code"] == "S36"


def test_a_served_model_is_used_like_a_local_one(http: httpx.Client, models: dict[str, Any]) -> None:
    with Client(str(http.base_url)) as client:
        tagged = client.model("tagger").tag(TEXTS)
        expected = models["tagger"].tag(TEXTS)
        assert [[e.text for e in row] for row in tagged] == [[e.text for e in row] for row in expected]
        assert type(tagged[0][0]) is type(expected[0][0])
        asked = ["Where is Ada?"] * 2
        answers = client.model("reader").answer(asked, TEXTS[:2])
        assert [a.text for a in answers] == [a.text for a in models["reader"].answer(asked, TEXTS[:2])]
        translated = client.model("translator").translate(TEXTS[:2], beams=2)
        assert translated == models["translator"].translate(TEXTS[:2], beams=2)
        vectors = client.model("embedder").embed(TEXTS)
        assert vectors == pytest.approx(models["embedder"].embed(TEXTS), abs=1e-6)
        scores = client.model("scorer").score(TEXTS)
        assert scores == pytest.approx(models["scorer"].score(TEXTS), abs=1e-5)
        assert client.summarise(TEXTS[0]) == models["writer"].translate(TEXTS[0])
