"""What is kept and told of a running server: readiness, counts, requests and opinions on answers."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tunesmith.core.errors import NotFoundError
from tunesmith.core.store import Store
from tunesmith.models.language import LanguageModel
from tunesmith.serve.deployment import deploy
from tunesmith.serve.request_log import RequestLog
from tunesmith.serve.server import serving

PROMPT = {"model": "stories", "prompt": "Write to ada@example.org", "max_tokens": 5}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "requests"


@pytest.fixture
def logging(stories: LanguageModel, folder: Path) -> Iterator[httpx.Client]:
    with serving([deploy(stories)], log=RequestLog(folder)) as url, httpx.Client(base_url=url) as http:
        yield http


def records(folder: Path) -> list[dict[str, Any]]:
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    return [json.loads(line) for line in lines]


def test_readiness_names_the_models(story_url: str) -> None:
    answer = httpx.get(f"{story_url}/ready")
    assert (answer.status_code, answer.json()) == (
        200, {"ready": True, "models": {"stories": True, "vowels": True}},
    )  # fmt: skip


def test_a_broken_engine_is_not_ready(engine: Any, stories: LanguageModel) -> None:
    from tunesmith.core.errors import TunesmithError
    from tunesmith.serve.served import TextDeployment

    engine.refusal = TunesmithError("S05")
    broken = TextDeployment(
        name="broken", created=1, tokenizer=stories.tokenizer, contract=stories.contract,
        context=512, vocabulary=512, engine=engine,
    )  # fmt: skip
    with serving([broken]) as url:
        assert httpx.get(f"{url}/ready").status_code == 503


def test_requests_and_tokens_are_counted(stories: LanguageModel) -> None:
    with serving([deploy(stories, name='a "b"')]) as url, httpx.Client(base_url=url) as http:
        used = http.post("/v1/completions", json={**PROMPT, "model": 'a "b"'}).json()["usage"]
        http.post("/v1/completions", json={"model": "nobody", "prompt": "a"})
        http.get("/some/where")
        answer = http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    page = answer.text
    assert all(re.fullmatch(r"(#.*|[a-z_]+(\{.*\})? [0-9.e+-]+)", line) for line in page.splitlines()), page
    assert 'tunesmith_requests_total{route="/v1/completions",status="200"} 1' in page
    assert 'tunesmith_requests_total{route="/v1/completions",status="404"} 1' in page
    assert 'tunesmith_requests_total{route="other",status="404"} 1' in page
    assert f'tunesmith_prompt_tokens_total{{model="a \\"b\\""}} {used["prompt_tokens"]}' in page
    assert f'tunesmith_new_tokens_total{{model="a \\"b\\""}} {used["completion_tokens"]}' in page
    assert 'tunesmith_first_token_seconds_bucket{model="a \\"b\\"",le="+Inf"} 1' in page


@pytest.mark.parametrize("stream", [False, True])
def test_requests_are_kept_without_personal_data(
    logging: httpx.Client, folder: Path, eventually: Callable[[Callable[[], bool]], None], stream: bool
) -> None:
    answer = logging.post("/v1/completions", json={**PROMPT, "stream": stream})
    eventually(lambda: len(records(folder)) == 1)
    [record] = records(folder)
    assert record["request"]["prompt"] == "Write to [EMAIL]"
    assert record["request_id"] == answer.headers["x-request-id"]
    assert record["id"].startswith("cmpl-")
    said = record["answer"]["texts"] if stream else [record["answer"]["choices"][0]["text"]]
    assert len(said[0]) > 3
    assert (record["status"], record["route"]) == (200, "/v1/completions")
    assert all((path.stat().st_mode & 0o077) == 0 for path in folder.iterdir())


def test_text_in_tokens_is_not_kept(
    logging: httpx.Client, folder: Path, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    logging.post("/v1/completions", json={**PROMPT, "prompt": [1, 2, 3], "logprobs": 1})
    eventually(lambda: len(records(folder)) == 1)
    [record] = records(folder)
    assert (record["request"]["prompt"], record["request"]["logprobs"]) == ("3 tokens", 1)
    assert record["answer"]["choices"][0]["logprobs"] is None


def test_a_streamed_response_is_kept_once(
    logging: httpx.Client, folder: Path, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    body = {"model": "stories", "input": "Hi", "max_output_tokens": 8, "temperature": 0}
    whole = logging.post("/v1/responses", json=body).json()["output"][0]["content"][0]["text"]
    logging.post("/v1/responses", json={**body, "stream": True})
    eventually(lambda: len(records(folder)) == 2)
    assert records(folder)[1]["answer"]["texts"] == [whole]


def test_opinions_are_kept_beside_their_requests(logging: httpx.Client, folder: Path) -> None:
    made = logging.post("/v1/completions", json=PROMPT)
    identity = made.json()["id"]
    said = {"id": identity, "rating": "bad", "correction": "Mail bob@example.org."}
    assert logging.post("/v1/feedback", json=said).json() == {"object": "feedback", "id": identity}
    by_request = {"id": made.headers["x-request-id"], "rating": "good"}
    assert logging.post("/v1/feedback", json=by_request).status_code == 200
    unknown = logging.post("/v1/feedback", json={"id": "cmpl-0", "rating": "good"})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "S45")
    empty = logging.post("/v1/feedback", json={"id": identity})
    assert (empty.status_code, empty.json()["error"]["code"]) == (400, "S47")
    end = time.monotonic() + 10
    while len(records(folder)) < 3 and time.monotonic() < end:
        time.sleep(0.01)
    assert [r["kind"] for r in records(folder)] == ["request", "feedback", "feedback"]
    assert records(folder)[1]["correction"] == "Mail [EMAIL]."


def test_an_answer_belongs_to_the_key_that_got_it(vowels: Any, tmp_path: Path, folder: Path) -> None:
    store = Store(tmp_path / "store.sqlite")
    mine, other = ({"Authorization": f"Bearer {store.create_key(n, ('serve',))[1]}"} for n in ("a", "b"))
    with serving([deploy(vowels)], store=store, log=RequestLog(folder)) as url:
        body = {"model": "vowels", "input": "a"}
        identity = httpx.post(f"{url}/v1/classify", json=body, headers=mine).headers["x-request-id"]
        said = {"id": identity, "rating": "good"}
        assert httpx.post(f"{url}/v1/feedback", json=said, headers=other).status_code == 404
        assert httpx.post(f"{url}/v1/feedback", json=said, headers=mine).status_code == 200
    with serving([deploy(vowels)], store=store, log=RequestLog(folder)) as url:  # known after a restart
        assert httpx.post(f"{url}/v1/feedback", json=said, headers=other).status_code == 404
        assert httpx.post(f"{url}/v1/feedback", json=said, headers=mine).status_code == 200
    assert len(records(folder)) == 3
    store.close()


def test_a_server_that_keeps_nothing_says_so(story_url: str) -> None:
    answer = httpx.post(f"{story_url}/v1/feedback", json={"id": "cmpl-0", "rating": "good"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "S46")


def test_days_that_are_over_are_removed(folder: Path) -> None:
    folder.mkdir()
    for day in ("2020-01-01", "2999-01-01"):
        (folder / f"{day}.jsonl").write_text("", encoding="utf-8")
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    RequestLog(folder, days=7).close()
    assert sorted(os.listdir(folder)) == ["2999-01-01.jsonl", "notes.txt"]


def test_a_line_cut_by_a_crash_stops_no_server(folder: Path) -> None:
    folder.mkdir()
    known = {"kind": "request", "request_id": "r1", "id": "cmpl-1", "key": "k"}
    text = json.dumps(known) + "\n" + json.dumps(known)[:20]
    (folder / "2999-01-01.jsonl").write_text(text, encoding="utf-8")
    log = RequestLog(folder)
    log.judge("cmpl-1", "k", {"rating": "good"})
    log.close()


def test_what_has_come_is_written_together_and_what_cannot_be_spoils_nothing_else(folder: Path) -> None:
    log = RequestLog(folder)
    for number in range(600):
        said = {"input": object()} if number == 300 else {"input": f"{number} a@example.com"}
        log.add({"request_id": str(number), "key": "k", "request": said})
    log.close()
    [path] = folder.glob("*.jsonl")
    written = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [record["request"]["input"] for record in written] == [
        f"{number} [EMAIL]" for number in range(600) if number != 300
    ]


def test_only_the_newest_answers_are_remembered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.serve.request_log._KNOWN", 2)
    log = RequestLog(folder)
    for number in range(3):
        log.add({"request_id": f"r{number}", "key": "k"})
    log.judge("r2", "k", {"rating": "good"})
    with pytest.raises(NotFoundError):
        log.judge("r0", "k", {"rating": "good"})
    log.close()
