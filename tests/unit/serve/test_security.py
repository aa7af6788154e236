"""Who may ask: hosts, keys and policies, route by route."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI

from tunesmith.core.errors import TunesmithError, UsageError
from tunesmith.core.store import Store
from tunesmith.serve.app import create_app
from tunesmith.serve.deployment import deploy
from tunesmith.serve.policies import POLICIES, Policies
from tunesmith.serve.reach import is_loopback
from tunesmith.serve.server import serving

ALL = "0.0.0.0"  # noqa: S104
BODIES = {"/v1/classify": {"model": "vowels", "input": "a"}}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store.sqlite")
    yield store
    store.close()


@pytest.fixture
def keyed(store: Store, vowels: Any) -> Iterator[str]:
    """A server whose store has a key."""
    store.create_key("somebody", ("serve",))
    with serving([deploy(vowels)], store=store) as url:
        yield url


def raw(url: str, headers: list[tuple[str, str]], path: str = "/health") -> int:
    """The status of a GET with exactly these headers."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    connection.putrequest("GET", path, skip_host=True)
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:9"]
)
def test_loopback_names_are_ours_with_any_port(story_url: str, host: str) -> None:
    assert raw(story_url, [("Host", host)]) == 200


@pytest.mark.parametrize(
    "host",
    ["attacker.com", "localhost.attacker.com", "127.0.0.1.nip.io", "127.0.0.1@attacker.com",
     "192.168.0.7", ALL, "127.0.0.2", "[::2]", "localhost:", "localhost:80:80", "localhost/x",
     "localhost, attacker.com", "", " ", "xn--lcalhost-x3a", "127.1", "2130706433", "[::1",
     "localhost:123456", "tunesmith.local"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/health", "/v1/models", "/openapi.json", "/nowhere"])
def test_any_other_host_is_refused_on_every_path(story_url: str, host: str, path: str) -> None:
    assert raw(story_url, [("Host", host)], path) in (400, 421)


def test_forwarding_headers_and_second_hosts_open_nothing(story_url: str) -> None:
    assert raw(story_url, [("Host", "evil.com"), ("X-Forwarded-Host", "localhost")]) == 421
    assert raw(story_url, [("Host", "localhost"), ("Host", "evil.com")]) in (400, 421)


def test_configured_names_are_ours(vowels: Any) -> None:
    with serving([deploy(vowels)], hosts=["Models.Example", "other:81"]) as url:
        assert raw(url, [("Host", "models.example:9000")]) == 200
        assert raw(url, [("Host", "other:81")]) == 200
        assert raw(url, [("Host", "other:82")]) == 421


def test_the_host_is_refused_before_the_key_is_looked_at(keyed: str) -> None:
    assert raw(keyed, [("Host", "evil.com")], "/v1/models") == 421
    assert raw(keyed, [("Host", "localhost")], "/v1/models") == 401


@pytest.mark.parametrize(("method", "path"), sorted(POLICIES))
def test_every_route_in_every_state_of_a_key(store: Store, keyed: str, method: str, path: str) -> None:
    def status(*authorization: str) -> int:
        headers = [("Authorization", value) for value in authorization]
        response = httpx.request(method, keyed + path, headers=headers, json=BODIES.get(path))
        if response.status_code == 401:
            assert response.headers["www-authenticate"] == "Bearer"
            assert response.json()["error"]["code"] == "invalid_api_key"
        return response.status_code

    _, good = store.create_key("good", ("serve",))
    revoked_id, revoked = store.create_key("revoked", ("serve",))
    store.revoke_key(revoked_id)
    _, narrow = store.create_key("narrow", ("studio",))
    public = POLICIES[method, path].access == "public"

    refused = 200 if public else 401
    for wrong in ("Bearer", f"Bearer {good}x", f"Basic {good}", good, f"Bearer {revoked}"):
        assert status(wrong) == refused, wrong
    assert status() == refused
    assert status(f"Bearer {good}", f"Bearer {good}") == refused
    assert status(f"Bearer {narrow}") == (200 if public else 403)
    assert status(f"Bearer {good}") not in (401, 403)


def test_a_revoked_key_is_worthless_at_once(store: Store, keyed: str) -> None:
    identity, secret = store.create_key("gone", ("serve",))
    headers = {"Authorization": f"Bearer {secret}"}
    assert httpx.get(f"{keyed}/v1/models", headers=headers).status_code == 200
    store.revoke_key(identity)
    assert httpx.get(f"{keyed}/v1/models", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "value", ["Bearer ' OR 1=1 --", "Bearer tsk_%_x", f"Bearer {'x' * 10_000}", "Bearer \xe9\xff"]
)
def test_strange_keys_are_just_wrong(keyed: str, value: str) -> None:
    response = httpx.get(f"{keyed}/v1/models", headers=[(b"Authorization", value.encode("latin1"))])
    assert response.status_code == 401


def test_unknown_paths_ask_for_a_key_too(keyed: str) -> None:
    assert httpx.get(f"{keyed}/v1/secret").status_code == 401
    assert httpx.put(f"{keyed}/v1/models").status_code == 401


def test_without_keys_on_loopback_any_key_is_ignored(story_url: str) -> None:
    headers = {"Authorization": "Bearer whatever"}
    assert httpx.get(f"{story_url}/v1/models", headers=headers).status_code == 200


def test_every_answer_has_safe_headers_and_an_id(story_url: str) -> None:
    answers = [
        httpx.get(f"{story_url}/health"),
        httpx.get(f"{story_url}/nowhere"),
        httpx.post(f"{story_url}/v1/classify", json={}),
        httpx.get(f"{story_url}/health", headers={"Host": "evil.com"}),
        httpx.options(f"{story_url}/v1/models", headers={"Origin": "http://evil.com"}),
    ]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


def test_a_route_without_a_policy_stops_the_application() -> None:
    app = FastAPI(docs_url=None, redoc_url=None)
    Policies(POLICIES).require(app)
    app.add_api_route("/v1/admin", lambda: None)
    with pytest.raises(TunesmithError, match="GET /v1/admin"):
        Policies(POLICIES).require(app)


def test_keys_cannot_be_required_without_a_store(vowels: Any) -> None:
    with pytest.raises(UsageError, match="S19"):
        create_app([], store=None, require_key=True)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.0.0.1", True), ("127.8.9.1", True), ("::1", True),
     (ALL, False), ("::", False), ("", False), ("192.168.1.2", False), ("example.com", False)],
)  # fmt: skip
def test_what_is_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
