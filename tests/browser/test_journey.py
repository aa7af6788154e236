"""From a CSV to a served model in five clicks, and the copied program gets its answer."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect
from service import Server
from world import INTENTS, World

TRAINING_MS = 240_000
# Of the visitor, not of scripts; the page is never loaded anew on the way, or the count would begin again.
COUNT = (
    """window.clicks = 0; addEventListener("click", (e) => { if (e.isTrusted) window.clicks += 1; }, true);"""
)


def words_of(language: str) -> dict[str, dict[str, str]]:
    folder = Path(__file__).parents[2] / "web" / "src" / "text" / language
    return {path.stem: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}


@pytest.fixture
def beginner(built: None, world: World, tmp_path: Path) -> Iterator[Server]:
    """A server over an empty workspace, and a small file of tickets that lies beside it."""
    desk = World(tmp_path / "desk")
    desk.folder.mkdir()
    with (world.folder / "tickets.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with (tmp_path / "tickets.csv").open("w", encoding="utf-8", newline="") as file:
        few = [row for intent in INTENTS for row in [r for r in rows if r["label"] == intent][:14]]
        csv.writer(file).writerows([("text", "label"), *((row["text"], row["label"]) for row in few)])
    server = Server(desk).start()
    yield server
    server.stop()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_five_clicks(
    lang: str, beginner: Server, new_context: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    _travel(beginner, new_context(beginner, lang=lang), words_of(lang), tmp_path / "tickets.csv")


def _travel(server: Server, context: BrowserContext, words: dict[str, dict[str, str]], table: Path) -> None:
    context.add_init_script(COUNT)
    page = context.new_page()
    page.goto(server.url)
    with page.expect_file_chooser() as chooser:
        page.locator("button", has_text=words["data"]["choose"]).click()
    chooser.value.set_files(table)
    page.get_by_role("link", name=words["data"]["train"]).click()
    page.get_by_role("button", name=words["train"]["next"]).click()
    start = page.get_by_role("button", name=words["train"]["start"])
    expect(start).to_be_enabled()
    start.click()
    page.wait_for_url("**/runs/*")
    serve = page.get_by_role("button", name=words["shell"]["serve_it"], exact=True)
    expect(serve).to_be_visible(timeout=TRAINING_MS)
    serve.click()
    page.wait_for_url("**/play?*")
    question = page.get_by_label(words["play"]["text_classify"], exact=True)
    expect(question).to_be_visible()
    question.fill("My card has not arrived yet")
    assert page.evaluate("window.clicks") <= 5
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("card_arrival").first).to_be_visible(timeout=30_000)
    _run_snippets(context, words)


def _run_snippets(context: BrowserContext, words: dict[str, dict[str, str]]) -> None:
    page = context.pages[0]
    page.get_by_role("button", name=words["play"]["code"], exact=True).click()
    dialog = page.get_by_role("dialog")
    commands = {"curl": ["bash", "-c"], "openai-python": [sys.executable, "-c"]}
    for tab, command in commands.items():
        dialog.get_by_role("tab", name=tab).click()
        text = dialog.locator("pre").inner_text()
        ran = subprocess.run([*command, text], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        assert "card_arrival" in ran.stdout, tab
