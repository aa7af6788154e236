"""Models, attention, playground, serving and keys as somebody uses them, on real small models."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from service import Server
from watching import Watch, settled
from world import World

XSS = "<img src=x onerror=alert(1)>"
LOADED_MS = 90_000


@pytest.fixture(scope="module")
def desk(built: None, world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own that keeps requests, with a chat model and a classifier loaded."""
    server = Server(
        world.copy(tmp_path_factory.mktemp("models") / "desk"), "studio", "--log-requests"
    ).start()
    yield server
    server.stop()


@pytest.fixture
def visit(desk: Server, new_context: Callable[..., BrowserContext]) -> Callable[..., Page]:
    def opened(path: str, **wishes: object) -> Page:
        page = new_context(desk, **wishes).new_page()
        page.goto(desk.url + path)
        settled(page)
        return page

    return opened


def load(page: Page, desk: Server, name: str) -> None:
    """Load a model as the page does, and wait until it is there."""
    headers = {"X-Tunesmith": "1", "Origin": desk.url}
    said = page.request.post(f"{desk.url}/api/deployments", data={"model": name}, headers=headers)
    assert said.ok or said.json()["error"]["code"] == "S24", said.text()
    for _ in range(LOADED_MS // 250):
        rows = page.request.get(f"{desk.url}/api/deployments").json()["deployments"]
        if any(name in (row["name"], *row["aliases"]) for row in rows):
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"{name} was not loaded")


def snippet(page: Page, language: str) -> str:
    page.get_by_role("tab", name=language).click()
    page.locator("dialog[open] pre").get_by_text(
        "/v1" if language != "tunesmith" else "Client"
    ).first.wait_for()
    page.locator("dialog[open]").get_by_role("button", name=re.compile("Copy|复制")).click()
    return str(page.evaluate("navigator.clipboard.readText()"))


def carry_out(text: str, language: str, key: str) -> str:
    """What a snippet prints when somebody runs it who has a key."""
    command = ["bash", "-c", text] if language == "curl" else [sys.executable, "-c", text]
    environment = {**os.environ, "NO_PROXY": "127.0.0.1", "TUNESMITH_API_KEY": key}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_chat_is_streamed_stopped_rated_and_copied_as_programs(
    desk: Server, visit: Callable[..., Page]
) -> None:
    page = visit("/play?models=helper@1")
    load(page, desk, "helper@1")
    page.get_by_label("Message").wait_for(timeout=LOADED_MS)
    box = page.get_by_label("Message")
    box.fill(XSS)
    box.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    expect(page.locator("article")).to_have_count(0)  # that Enter chose a character
    box.press("Enter")
    expect(page.locator("article footer")).to_contain_text("tokens/s")
    expect(page.get_by_text(XSS)).to_be_visible()
    page.locator("article .token").first.hover()
    expect(page.locator("article .others")).to_contain_text("%")
    page.get_by_role("button", name="Good").click()
    expect(page.get_by_role("button", name="Good")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Code").click()
    for language in ("curl", "openai", "tunesmith"):
        said = carry_out(snippet(page, language), language, desk.world.key)
        assert ("chat.completion.chunk" in said) == (language == "curl")
        assert said.strip()
    page.goto(f"{desk.url}/serve?tab=requests")
    expect(page.get_by_role("cell", name=XSS).first).to_be_visible()
    expect(page.get_by_text("good", exact=True)).to_be_visible()


def test_stop_ends_the_work_of_the_server(desk: Server, visit: Callable[..., Page]) -> None:
    page = visit("/play?models=helper@1&way=complete")
    load(page, desk, "helper@1")
    page.get_by_label("Most tokens").fill("400")
    page.get_by_label("Text to continue").fill("Once upon a time")
    page.get_by_role("button", name="Send").click()
    page.locator("article .token").nth(3).wait_for()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("article header")).to_contain_text("stopped")

    def idle() -> bool:
        rows = page.request.get(f"{desk.url}/api/deployments").json()["deployments"]
        return all(row["running"] == row["waiting"] == 0 for row in rows)

    for _ in range(40):
        if idle():
            break
        page.wait_for_timeout(50)
    assert idle()


def test_a_classifier_answers_in_chinese_and_its_snippets_run(
    desk: Server, visit: Callable[..., Page]
) -> None:
    page = visit("/play?models=router@production", lang="zh")
    load(page, desk, "router@production")
    box = page.get_by_label("文本")
    box.wait_for(timeout=LOADED_MS)
    box.fill("My card has not arrived yet — it's late")
    page.get_by_role("button", name="发送").click()
    expect(page.locator("article li")).to_have_count(4)
    page.get_by_role("button", name="代码").click()
    for language in ("curl", "openai", "tunesmith"):
        assert "card_arrival" in carry_out(snippet(page, language), language, desk.world.key)


def test_attention_is_shown_for_every_head_and_one_is_exported(
    desk: Server, visit: Callable[..., Page], tmp_path: Path
) -> None:
    page = visit("/attention")
    page.goto(f"{desk.url}/attention?model=helper@1&text=Once upon a time")
    expect(page.locator("canvas")).to_have_count(5 * 9 + 1, timeout=LOADED_MS)
    page.get_by_role("button", name="Layer 3, head 2", exact=True).click()
    assert "layer=2&head=1" in page.url
    picture = page.get_by_role("img")
    picture.press("ArrowRight")
    expect(page.get_by_text("<s> → <s>: 1", exact=True)).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV").click()
    saved.value.save_as(tmp_path / "map.csv")
    rows = [row.split(",") for row in (tmp_path / "map.csv").read_text("utf-8").splitlines()]
    assert len(rows) == len(rows[0])
    assert all(abs(sum(map(float, row[1:])) - 1) < 0.05 for row in rows[1:])
    with page.expect_download() as saved:
        page.get_by_role("button", name="PNG").click()
    saved.value.save_as(tmp_path / "map.png")
    assert len((tmp_path / "map.png").read_bytes()) > 1000


def test_an_alias_moved_by_somebody_else_is_told_and_nothing_is_moved(
    desk: Server, visit: Callable[..., Page], watch: Watch
) -> None:
    watch.allow("409")
    page = visit("/models/router@2?tab=releases")
    page.get_by_role("row", name=re.compile("router@2.*no gate")).get_by_role(
        "button", name="Promote"
    ).click()
    headers = {"X-Tunesmith": "1", "Origin": desk.url}
    other = {"version": 2, "expected": 1, "reason": "somebody was faster"}
    assert page.request.post(f"{desk.url}/api/releases/router/promote", data=other, headers=headers).ok
    page.get_by_label("Reason").fill(XSS)
    page.locator("dialog[open]").get_by_role("button", name="Promote").click()
    expect(page.get_by_text("moved by someone else meanwhile")).to_be_visible()
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_text("somebody was faster")).to_be_visible()
    page.get_by_role("button", name="Roll back to 1").first.click()
    page.get_by_label("Reason").fill(XSS)
    page.locator("dialog[open]").get_by_role("button", name="Roll back").click()
    expect(page.get_by_text(XSS)).to_be_visible()


def test_a_key_is_shown_once_and_its_use_within_two_seconds(desk: Server, visit: Callable[..., Page]) -> None:
    page = visit("/keys")
    page.get_by_role("button", name="Make a key").first.click()
    page.get_by_label("Name").fill(XSS)
    page.locator("dialog[open]").get_by_role("button", name="Make a key").click()
    page.get_by_text("shown only once").wait_for()
    key = page.locator("dialog[open] pre").first.inner_text()
    page.get_by_role("button", name="I have copied it").click()
    row = page.get_by_role("row", name=re.compile(re.escape(XSS)))
    expect(row).to_contain_text("never")
    assert key not in page.content()
    asked = {"model": "nobody", "input": "a"}
    page.request.post(f"{desk.url}/v1/classify", data=asked, headers={"Authorization": f"Bearer {key}"})
    expect(row.get_by_role("cell").nth(2)).to_have_text("1", timeout=5000)
    row.get_by_role("button", name="Revoke").click()
    page.locator("dialog[open]").get_by_role("button", name="Revoke").click()
    expect(row).to_contain_text("revoked")
