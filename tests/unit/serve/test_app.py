"""The API as clients meet it: the official `openai` package and plain HTTP, against a real server."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any

import httpx
import openai
import pytest

from tunesmith.core.errors import TunesmithError, UsageError
from tunesmith.models.language import LanguageModel
from tunesmith.models.token import Finish, Token
from tunesmith.serve.admission import Limits
from tunesmith.serve.app import create_app
from tunesmith.serve.deployment import deploy
from tunesmith.serve.served import TextDeployment
from tunesmith.serve.server import serving

PROMPT = "Once upon a time, there was a"
QUESTION: Any = [{"role": "user", "content": "Tell me about a little girl."}]
CHAT = {"model": "stories", "messages": QUESTION}


@pytest.fixture
def client(story_url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{story_url}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
def http(story_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=story_url, timeout=60) as client:
        yield client


@pytest.fixture
def faked(stories: LanguageModel, engine: Any) -> Iterator[httpx.Client]:
    """A server whose engine does what the test says."""
    deployment = TextDeployment(
        name="fake",
        created=1,
        tokenizer=stories.tokenizer,
        contract=stories.contract,
        context=stories.context,
        vocabulary=512,
        engine=engine,
    )
    with serving([deployment]) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def error_of(response: httpx.Response) -> dict[str, Any]:
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


# Answers


def test_models_are_listed_with_their_task(client: openai.OpenAI) -> None:
    listed = {model.id: model.to_dict()["task"] for model in client.models.list()}
    assert listed == {"stories": "generate", "vowels": "classify"}
    assert client.models.retrieve("teller").id == "stories"
    with pytest.raises(openai.NotFoundError, match="nobody"):
        client.models.retrieve("nobody/else")


def test_chat_answers_as_the_model_does_without_a_server(
    client: openai.OpenAI, stories: LanguageModel
) -> None:
    answer = client.chat.completions.create(model="stories", messages=QUESTION, max_tokens=30)
    assert answer.choices[0].message.content == stories.chat(QUESTION, max_new_tokens=30)
    assert answer.choices[0].finish_reason == "length"
    prompt = len(stories.contract.encode(stories.tokenizer, QUESTION))
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (prompt, 30)
    assert answer.usage.total_tokens == prompt + 30


def test_a_streamed_chat_says_the_same_in_pieces(client: openai.OpenAI) -> None:
    options: Any = {"model": "stories", "messages": QUESTION, "max_tokens": 30}
    whole = client.chat.completions.create(**options)
    stream_options: Any = {"include_usage": True}
    chunks = list(client.chat.completions.create(**options, stream=True, stream_options=stream_options))
    texts = [c.choices[0].delta.content or "" for c in chunks if c.choices]
    assert len(texts) > 10
    assert "".join(texts) == whole.choices[0].message.content
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "length"
    assert chunks[-1].usage == whole.usage
    assert len({c.id for c in chunks}) == 1


def test_text_parts_and_the_newer_role_name_are_taken(client: openai.OpenAI) -> None:
    parts: Any = [{"role": "user", "content": [{"type": "text", "text": QUESTION[0]["content"]}]}]
    system: Any = [{"role": "developer", "content": "Be brief."}, *QUESTION]
    same = [{"role": "system", "content": "Be brief."}, *QUESTION]

    def ask(messages: Any) -> str | None:
        answer = client.chat.completions.create(model="stories", messages=messages, max_tokens=9)
        return answer.choices[0].message.content

    assert ask(parts) == ask(QUESTION)
    assert ask(system) == ask(same)


def test_text_and_its_token_ids_are_continued_alike(client: openai.OpenAI, stories: LanguageModel) -> None:
    ids = stories.tokenizer.encode(PROMPT).ids
    by_text = client.completions.create(model="stories", prompt=PROMPT, max_tokens=20)
    by_ids = client.completions.create(model="stories", prompt=ids, max_tokens=20)
    assert by_text.choices[0].text == by_ids.choices[0].text
    assert by_text.usage == by_ids.usage
    assert by_text.choices[0].text.startswith(" ")


def test_several_prompts_are_answered_in_order(client: openai.OpenAI) -> None:
    prompts = [PROMPT, "The cat", "One day"]
    alone = [
        client.completions.create(model="stories", prompt=p, max_tokens=12).choices[0].text for p in prompts
    ]
    together = client.completions.create(model="stories", prompt=prompts, max_tokens=12)
    assert [choice.text for choice in together.choices] == alone
    assert [choice.index for choice in together.choices] == [0, 1, 2]


def test_a_streamed_completion_of_several_says_the_same(client: openai.OpenAI) -> None:
    options: Any = {"model": "stories", "prompt": [PROMPT, "The cat"], "max_tokens": 12}
    whole = client.completions.create(**options)
    texts = ["", ""]
    for event in client.completions.create(**options, stream=True):
        texts[event.choices[0].index] += event.choices[0].text
    assert texts == [choice.text for choice in whole.choices]


def test_a_seed_repeats_an_answer_and_n_answers_differ(client: openai.OpenAI) -> None:
    def ask(seed: int | None) -> list[str]:
        made = client.completions.create(
            model="stories", prompt=PROMPT, max_tokens=20, temperature=1.0, n=3, seed=seed
        )
        return [choice.text for choice in made.choices]

    assert ask(5) == ask(5)
    assert len(set(ask(5))) == 3
    assert ask(5) != ask(6)
    assert ask(None) != ask(None)


@pytest.mark.parametrize("stream", [False, True])
def test_a_stop_string_ends_the_answer_before_it(client: openai.OpenAI, stream: bool) -> None:
    options: Any = {"model": "stories", "prompt": PROMPT, "max_tokens": 40}
    free = client.completions.create(**options).choices[0].text
    stop = free[10:14]
    made = client.completions.create(**options, stop=[stop, "never"], stream=stream)
    events = list(made) if stream else [made]
    choices = [event.choices[0] for event in events]
    assert "".join(choice.text for choice in choices) == free[: free.index(stop)]
    assert choices[-1].finish_reason == "stop"


def test_a_model_answers_to_its_other_names(client: openai.OpenAI) -> None:
    made = client.completions.create(model="teller", prompt=PROMPT, max_tokens=2)
    assert made.model == "stories"


def test_texts_are_classified_with_all_probabilities(http: httpx.Client) -> None:
    answer = http.post("/v1/classify", json={"model": "vowels", "input": ["aei", "xyz"]}).json()
    assert answer["model"] == "vowels"
    assert [(d["index"], d["label"], d["probability"]) for d in answer["data"]] == [
        (0, "vowel", 1.0),
        (1, "other", 1.0),
    ]
    single = http.post("/v1/classify", json={"model": "vowels", "input": "aexy"}).json()
    assert single["data"][0]["probabilities"] == {"vowel": 0.5, "other": 0.5}


def test_a_label_may_be_a_long_sentence(vowels: Any) -> None:
    vowels.labels = ("a sentence " * 500, "other")
    with serving([deploy(vowels)]) as url:
        answer = httpx.post(f"{url}/v1/classify", json={"model": "vowels", "input": "aei"}, timeout=60)
    assert answer.status_code == 200
    assert answer.json()["data"][0]["label"] == vowels.labels[0]


def test_concurrent_requests_answer_as_alone(client: openai.OpenAI) -> None:
    prompts = [f"{PROMPT} {word}" for word in ("cat", "dog", "bird and a fish", "girl", "boy")]

    def ask(prompt: str) -> str:
        made = client.completions.create(model="stories", prompt=prompt, max_tokens=40)
        return made.choices[0].text

    alone = [ask(prompt) for prompt in prompts]
    with ThreadPoolExecutor(len(prompts)) as pool:
        assert list(pool.map(ask, prompts)) == alone


# Refusals


@pytest.mark.parametrize(
    ("change", "status", "code", "param"),
    [
        ({"model": "nobody"}, 404, "model_not_found", "model"),
        ({"model": "vowels"}, 400, "S08", "model"),
        ({"modalities": ["text"]}, 400, "unsupported_parameter", "modalities"),
        ({"top_logprobs": 2}, 400, "S28", None),
        ({"messages": []}, 400, "S10", "messages"),
        ({"messages": None}, 400, "S10", "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, 400, "S10", "messages.0.role"),
        ({"messages": [{"role": "user"}]}, 400, "S26", "messages.0.content"),
        ({"messages": QUESTION * 3000}, 400, "S10", "messages"),
        ({"max_tokens": 10**12}, 400, "S10", "max_tokens"),
        ({"max_tokens": 0}, 400, "S10", "max_tokens"),
        ({"max_tokens": 5, "max_completion_tokens": 5}, 400, "S29", None),
        ({"max_tokens": 511}, 400, "context_length_exceeded", None),
        ({"n": 10**9}, 400, "S10", "n"),
        ({"temperature": -1}, 400, "S10", "temperature"),
        ({"top_p": 0}, 400, "S10", "top_p"),
        ({"seed": 2**63}, 400, "S10", "seed"),
        ({"stop": ["x"] * 17}, 400, "S10", "stop"),
        ({"stop": "x" * 1000}, 400, "S10", "stop"),
        ({"stream": "yes"}, 400, "S10", "stream"),
        ({"stream_options": {"include_usage": True}}, 400, "S28", None),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(
    http: httpx.Client, change: dict[str, Any], status: int, code: str, param: str | None
) -> None:
    response = http.post("/v1/chat/completions", json={**CHAT, **change})
    error = error_of(response)
    assert (response.status_code, error["code"], error["param"]) == (status, code, param)


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        ([], "S10"),
        ("long " * 600, "context_length_exceeded"),
        ([5, 600], "S21"),
        ([-1], "S10"),
        (["a"] * 65, "S10"),
        ("\ud800", "S10"),
    ],
)
def test_prompts_that_cannot_be_continued_are_refused(http: httpx.Client, prompt: object, code: str) -> None:
    response = http.post(
        "/v1/completions",
        content=json.dumps({"model": "stories", "prompt": prompt}),
        headers={"Content-Type": "application/json"},
    )
    assert (response.status_code, error_of(response)["code"]) == (400, code)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"model": "a", "model": "b"}', b'{"temperature": NaN}',
     b"[" * 100_000, b"\xff\xfe", b"1" * 10_000],
)  # fmt: skip
def test_a_body_that_is_no_plain_json_object_is_refused(http: httpx.Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    response = http.post("/v1/chat/completions", content=body, headers=headers)
    assert (response.status_code, error_of(response)["code"]) == (400, "invalid_json")


def test_a_form_or_plain_text_is_no_request(http: httpx.Client) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        headers = {"Content-Type": kind}
        response = http.post("/v1/chat/completions", content=json.dumps(CHAT), headers=headers)
        assert response.status_code == 400


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_over_8_mb_is_refused(http: httpx.Client, declared: bool) -> None:
    content: Any = b" " * (9 * 2**20) if declared else (b" " * 2**20 for _ in range(9))
    response = http.post("/v1/completions", content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, error_of(response)["code"]) == (413, "request_too_large")


@pytest.mark.parametrize("declared", ["1" + "0" * 19, "1\r\nTransfer-Encoding: chunked"])
def test_a_body_longer_than_it_may_be_is_not_read_whatever_it_says(story_url: str, declared: str) -> None:
    url = httpx.URL(story_url)
    head = f"POST /v1/completions HTTP/1.1\r\nHost: {url.host}\r\nContent-Length: {declared}\r\n\r\n"
    with socket.create_connection((url.host, url.port or 80), timeout=10) as connection:
        with suppress(ConnectionError):  # it may be hung up on before all is sent
            connection.sendall(head.encode())
            for _ in range(9):
                connection.sendall(b"100000\r\n" + b" " * 2**20 + b"\r\n")
        assert connection.recv(64).startswith(b"HTTP/1.1 413")


def test_the_official_client_sees_the_errors_it_knows(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="nobody", messages=QUESTION)
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError, match="modalities"):
        client.chat.completions.create(model="stories", messages=QUESTION, modalities=["text"])


def test_unknown_paths_and_methods_have_the_same_shape(http: httpx.Client) -> None:
    assert error_of(http.get("/v2"))["code"] == "not_found"
    wrong = http.get("/v1/completions")
    assert (wrong.status_code, error_of(wrong)["code"]) == (405, "method_not_allowed")
    assert wrong.headers["allow"] == "POST"


def test_errors_speak_the_clients_language(http: httpx.Client) -> None:
    def message(language: str) -> str:
        response = http.get("/nowhere", headers={"Accept-Language": language})
        text: str = error_of(response)["message"]
        return text

    assert "没有内容" in message("zh-CN,zh;q=0.9")
    assert "nothing" in message("en")


# Trouble


def test_a_full_queue_answers_429_and_says_when_to_come_back(faked: httpx.Client, engine: Any) -> None:
    engine.refusal = TunesmithError("S03", waiting=9)
    response = faked.post("/v1/chat/completions", json={**CHAT, "model": "fake"})
    assert (response.status_code, error_of(response)["code"]) == (429, "rate_limit_exceeded")
    assert int(response.headers["retry-after"]) >= 1
    assert faked.get("/health").status_code == 503


def test_a_failing_engine_is_a_500_without_its_reasons(faked: httpx.Client, engine: Any) -> None:
    engine.script = [TunesmithError("S05")]
    response = faked.post("/v1/chat/completions", json={**CHAT, "model": "fake"})
    assert (response.status_code, error_of(response)["code"]) == (500, "engine_failed")


def test_an_unexpected_failure_is_a_500_with_an_id_and_no_traceback(faked: httpx.Client, engine: Any) -> None:
    engine.crash = ZeroDivisionError("secret detail")
    response = faked.post("/v1/chat/completions", json={**CHAT, "model": "fake"})
    assert (response.status_code, error_of(response)["code"]) == (500, "internal_error")
    assert response.headers["x-request-id"] in error_of(response)["message"]
    assert "secret" not in response.text
    assert "Traceback" not in response.text


def test_an_error_in_the_middle_of_a_stream_is_an_event(faked: httpx.Client, engine: Any) -> None:
    engine.script = [token(403), TunesmithError("S05")]
    with openai.OpenAI(base_url=f"{faked.base_url}/v1", api_key="x", max_retries=0) as client:
        stream = client.chat.completions.create(model="fake", messages=QUESTION, stream=True)
        with pytest.raises(openai.APIError, match="the model failed"):
            list(stream)


def test_the_stop_token_ends_an_answer_silently(
    faked: httpx.Client, engine: Any, stories: LanguageModel
) -> None:
    engine.script = [token(403), token(stories.contract.stop_ids[0], "stop")]
    answer = faked.post("/v1/chat/completions", json={**CHAT, "model": "fake"}).json()
    assert answer["choices"][0]["message"]["content"] == stories.tokenizer.decode([403])
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["usage"]["completion_tokens"] == 2


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_frees_its_slot(
    faked: httpx.Client, engine: Any, stream: bool, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    engine.script = [token(403)]
    body = {**CHAT, "model": "fake", "stream": stream, "n": 2}
    with pytest.raises(httpx.ReadTimeout), httpx.Client(base_url=faked.base_url, timeout=0.3) as c:
        c.post("/v1/chat/completions", json=body)
    eventually(lambda: len(engine.submitted) == 1 and engine.stopped == [0, 1])


def test_leaving_a_real_stream_stops_the_engine(
    stories: LanguageModel, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    deployment = deploy(replace(stories), limits=Limits(batch=1))
    body = {"model": "stories", "prompt": PROMPT, "stream": True, "max_tokens": 490}
    with serving([deployment]) as url, httpx.Client(base_url=url, timeout=60) as http:
        with http.stream("POST", "/v1/completions", json=body) as response:
            next(response.iter_lines())
            assert deployment.engine.stats().running == 1
        eventually(lambda: deployment.engine.stats().running == 0)


def token(identity: int, finish: Finish | None = None) -> Token:
    return Token(handle=0, id=identity, likelihood=None, finish=finish)


# The whole


def test_every_field_of_the_api_document_is_bounded(http: httpx.Client) -> None:
    document = http.get("/openapi.json").json()
    assert set(document["paths"]) == {
        "/health", "/v1/models", "/v1/models/{name}", "/v1/chat/completions", "/v1/completions",
        "/v1/classify",
        "/v1/embeddings", "/v1/score", "/v1/tag", "/v1/answer", "/v1/translate", "/v1/summarise",
        "/v1/tokenize", "/v1/detokenize", "/v1/responses", "/v1/feedback", "/ready", "/metrics",
    }  # fmt: skip
    assert list(unbounded(document, "")) == []


def unbounded(node: Any, at: str) -> Iterator[str]:
    if isinstance(node, list):
        for i, inner in enumerate(node):
            yield from unbounded(inner, f"{at}/{i}")
    elif isinstance(node, dict):
        kind = node.get("type")
        if isinstance(kind, str) and not node.keys() & {"const", "enum"} and not is_bounded(node):
            yield at
        for key, inner in node.items():
            yield from unbounded(inner, f"{at}/{key}")


def is_bounded(schema: dict[str, Any]) -> bool:
    match schema["type"]:
        case "string":
            return "maxLength" in schema
        case "array":
            return "maxItems" in schema
        case "integer" | "number":
            low = schema.keys() & {"minimum", "exclusiveMinimum"}
            return bool(low and schema.keys() & {"maximum", "exclusiveMaximum"})
        case "object":
            return "properties" in schema or "maxProperties" in schema
    return True


def test_two_models_of_one_name_are_refused(stories: LanguageModel, engine: Any) -> None:
    twin = TextDeployment(
        name="a", created=1, tokenizer=stories.tokenizer, contract=stories.contract,
        context=512, vocabulary=512, engine=engine,
    )  # fmt: skip
    with pytest.raises(UsageError, match="S24"):
        create_app([twin, replace(twin, name="b", aliases=("a",))], store=None, require_key=False)
