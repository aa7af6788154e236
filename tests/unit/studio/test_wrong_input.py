"""Whatever is wrong with a request: its answer says what, in the language of who asks; no server fails."""

from __future__ import annotations

import re

import httpx
import pytest

from tunesmith.studio.app import POLICIES

# A stream has no end, and who signs out may ask no more.
LEFT_OUT = {("GET", "/api/events"), ("DELETE", "/api/session")}
ROUTES = [route for route in sorted(POLICIES) if route[1].startswith("/api/") and route not in LEFT_OUT]
BODIES = (
    b"null", b"\xff", b"[" * 5000, b'{"kind": "import", "path": "\\u0000"}',
    b'{"kind": 1e999, "values": {}, "model": 3, "task": [], "text": "\\ud800"}',
)  # fmt: skip
NAMES = ("x" * 4000, "%00", "%ED%A0%80", "..%2f..", "数据 🧵")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_mistake_is_explained_in_both_languages(admin: httpx.Client, method: str, path: str) -> None:
    different = 2 if method == "GET" and "{" not in path else len(BODIES)
    for number, (body, name) in enumerate(list(zip(BODIES, NAMES, strict=True))[:different]):
        lang = ("en", "zh")[number % 2]
        address = re.sub(r"\{.*?\}", lambda _, name=name: name, path)
        asked = {} if method in ("GET", "DELETE") or path == "/api/uploads" else {"content": body}
        params = {"limit": "-1", "offset": "1e9", "cursor": "\0", "search": "\ud800".encode(errors="replace")}
        answer = admin.request(
            method,
            address,
            params=params,
            headers={"X-Language": lang, "Content-Type": "application/json"},
            **asked,
        )
        assert answer.status_code != 401
        assert answer.status_code < 500, (
            address[:99],
            body[:99],
            answer.text[:500],
        )
        if answer.status_code >= 400:
            said = answer.json()["error"]["message"]
            assert bool(re.search(r"[一-鿿]", said.replace("数据", ""))) == (lang == "zh"), said
