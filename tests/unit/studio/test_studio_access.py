"""Who may do what in the Studio: every route with every role, and what a foreign page cannot do."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

import tunesmith
from tunesmith.core.errors import TunesmithError
from tunesmith.serve.server import serving
from tunesmith.studio import app as studio_app
from tunesmith.studio import page
from tunesmith.studio.app import POLICIES, StudioExtension, create_studio
from tunesmith.studio.roles import ROLES, includes, role_of
from tunesmith.studio.state import Studio

SIGNED = [route for route, policy in sorted(POLICIES.items()) if policy.access == "session"]


def path_of(pattern: str) -> str:
    return re.sub(r"\{.*?\}", "x", pattern)


@pytest.fixture(scope="module")
def browsers(sign_in: Callable[[str], httpx.Client]) -> dict[str, httpx.Client]:
    return {role: sign_in(role) for role in ROLES}


@pytest.mark.parametrize(("method", "path"), SIGNED)
def test_every_route_lets_in_its_role_and_those_above_it(
    method: str, path: str, url: str, browsers: dict[str, httpx.Client]
) -> None:
    least = POLICIES[method, path].role
    assert httpx.request(method, url + path_of(path)).json()["error"]["code"] == "not_signed_in"
    for role, browser in browsers.items():
        if includes(role, least):
            continue  # what the route does is for its own tests
        answer = browser.request(method, path_of(path))
        assert answer.status_code == 403, role
        assert answer.json()["error"]["code"] == "insufficient_role", role


@pytest.mark.parametrize(("method", "path"), SIGNED)
def test_a_line_end_behind_a_path_does_not_lead_past_its_policy(method: str, path: str, url: str) -> None:
    answer = httpx.request(method, f"{url}{path_of(path)}%0A", json={})
    assert answer.json()["error"]["code"] == "not_signed_in"


def test_the_printed_address_opens_the_studio_once_and_leaves_no_token_in_it(
    studio: Studio, url: str
) -> None:
    with httpx.Client(base_url=url) as browser:
        answer = browser.get(f"/runs?token={studio.token}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/runs")
        cookie = answer.headers["set-cookie"].lower()
        assert {"httponly", "samesite=strict", "path=/"} <= set(cookie.split("; "))
        assert studio.token not in cookie
        assert browser.get("/api/session").json()["role"] == "admin"
        assert browser.get("/api/home").status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_link_on_another_site_signs_nobody_in(studio: Studio, url: str, site: str) -> None:
    key = studio.store.create_key("stranger", ["studio:admin"])[1]
    for token, headers in ((key, {}), (studio.token, {"Sec-Fetch-Site": site})):
        answer = httpx.get(f"{url}/?token={token}", headers=headers)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert "set-cookie" not in answer.headers


def test_a_wrong_token_opens_nothing_and_leads_to_no_other_host(url: str) -> None:
    answer = httpx.get(f"{url}//evil.example/?token=wrong")
    assert answer.headers["location"] == "/evil.example/"
    assert "set-cookie" not in answer.headers
    assert httpx.get(f"{url}/api/session").json() == {
        "role": None, "name": "", "version": tunesmith.__version__, "workspace": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"X-Tunesmith": ""},
        {"X-Tunesmith": "2"},
    ],
)
def test_a_foreign_page_writes_nothing(admin: httpx.Client, headers: dict[str, str]) -> None:
    for method, path in (("POST", "/api/session"), ("DELETE", "/api/session")):
        answer = admin.request(method, path, headers=headers, json={"token": "x"})
        assert answer.json()["error"]["code"] == "foreign_page"
    assert admin.get("/api/session").json()["role"] == "admin"


def test_a_session_survives_the_server_and_ends_with_its_key(studio: Studio) -> None:
    key, secret = studio.store.create_key("somebody", ["studio:annotator"])
    text, _ = studio_app.guard.sessions.opened(studio, secret) or ("", None)
    again = Studio.over(studio.workspace)
    found = again.store.find_session(text)
    assert found is not None
    assert (found.role, found.name) == ("annotator", "somebody")
    assert text not in studio.workspace.database.path.read_bytes().decode("latin1")
    again.store.revoke_key(key)
    assert again.store.find_session(text) is None


def test_a_program_uses_a_key_and_needs_no_header_of_the_page(studio: Studio, url: str) -> None:
    _, viewer = studio.store.create_key("program", ["studio:viewer"])
    _, other = studio.store.create_key("model user", ["serve"])
    headers = {"Authorization": f"Bearer {viewer}"}
    assert httpx.get(f"{url}/api/home", headers=headers).status_code == 200
    headers = {"Authorization": f"Bearer {other}"}
    assert httpx.get(f"{url}/api/home", headers=headers).status_code == 401


def test_where_models_ask_for_keys_a_session_is_one(studio: Studio) -> None:
    studio = Studio.over(studio.workspace)
    with serving(studio.served, store=studio.store, extension=StudioExtension(studio)) as url:
        assert httpx.get(f"{url}/v1/models").json()["error"]["code"] == "invalid_api_key"
        with httpx.Client(base_url=url) as browser:
            browser.get(f"/?token={studio.token}")
            assert browser.get("/v1/models").status_code == 200
            assert browser.post("/v1/classify", json={}).json()["error"]["code"] == "foreign_page"


def test_the_page_has_a_strict_policy_and_answers_every_path_of_its_own(
    tmp_path: Path, studio: Studio
) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>the page</title>" + "x" * 1000, "utf-8")
    (tmp_path / "assets/a.js").write_text("1", "utf-8")
    (tmp_path.parent / "secret").write_text("s", "utf-8")
    app = FastAPI()
    page.add_routes(app, studio, tmp_path)
    got = _get(app)
    assert "the page" in got("/runs/abc").text
    assert got("/runs/abc").headers["content-encoding"] == "gzip"
    assert "'unsafe" not in got("/").headers["content-security-policy"]
    assert "immutable" in got("/assets/a.js").headers["cache-control"]
    assert got("/assets/a.js").headers["content-type"].startswith("text/javascript")
    for path in ("/assets/old.js", "/api/nothing", "/v1/nothing"):
        assert got(path).status_code == 404
    for path in ("/..%2fsecret", "/a%00b", "/" + "a" * 5000):
        assert "the page" in got(path).text


def _get(app: FastAPI) -> Callable[[str], Any]:
    from starlette.testclient import TestClient

    return TestClient(app).get


def test_without_a_built_page_the_server_says_how_to_get_it(tmp_path: Path, studio: Studio) -> None:
    app = FastAPI()
    page.add_routes(app, studio, tmp_path)
    answer = _get(app)("/")
    assert answer.status_code == 503
    assert "npm run build" in answer.text
    assert 'lang="zh"' in answer.text


def test_answers_are_in_the_language_of_the_page(url: str) -> None:
    said = httpx.get(f"{url}/api/home", headers={"X-Language": "zh", "Accept-Language": "en"})
    assert "尚未登录" in said.json()["error"]["message"]


def test_a_route_without_a_policy_stops_the_start(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_app, "POLICIES", {})
    with pytest.raises(TunesmithError, match="/api/"):
        create_studio(studio)


@pytest.mark.parametrize(
    ("scopes", "role"),
    [(["serve"], None), (["studio"], "admin"), (["studio:viewer", "studio:engineer"], "engineer"),
     (["studio:root"], None), ([], None), (["admin"], None)],
)  # fmt: skip
def test_scopes_give_roles(scopes: list[str], role: str | None) -> None:
    assert role_of(scopes) == role
