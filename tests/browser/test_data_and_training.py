"""From a file to a run in the page; what was typed and what trains survive the server's sudden end."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect
from service import Server
from watching import Watch
from world import until

from conftest import OpenPage

MODEL = json.dumps(
    {"architecture": "bert", "hidden": 32, "layers": 2, "heads": 2, "vocab": 500, "context": 64}
)
WORDS = {
    "en": {
        "train": "Train on it",
        "next": "Next",
        "start": "Start training",
        "models": "One a line",
        "other": "Another model",
    },
    "zh": {
        "train": "用它训练",
        "next": "下一步",
        "start": "开始训练",
        "models": "每行一个",
        "other": "其他模型",
    },
}
HARMLESS = r"<img src=x onerror=alert(1)>"


def import_file(page: Page, server: Server, name: str = "tickets.csv") -> None:
    page.locator("input[type=file]").set_input_files(server.world.folder / name)
    page.wait_for_url(re.compile(r"/data/tickets-[0-9a-f]{6}"))


def to_recipe(page: Page, words: dict[str, str], epochs: int) -> None:
    page.get_by_role("link", name=words["train"]).click()
    page.get_by_text(words["other"]).click()
    page.get_by_label(words["models"]).fill(MODEL)
    page.get_by_label(words["models"]).blur()
    page.get_by_role("button", name=words["next"]).click()
    page.locator("input[placeholder='3']").first.fill(str(epochs))
    page.locator("input[placeholder='3']").first.blur()
    expect(page.get_by_role("button", name=words["start"])).to_be_enabled()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_file_becomes_a_run(own_studio: Server, open_page: OpenPage, lang: str) -> None:
    page = open_page("/data", server=own_studio, lang=lang)
    import_file(page, own_studio)
    expect(page.get_by_role("table")).to_contain_text("text")
    to_recipe(page, WORDS[lang], epochs=1)
    page.get_by_role("button", name=WORDS[lang]["start"]).click()
    page.wait_for_url(re.compile(r"/runs/tickets-[0-9a-f]{10}"))


def test_a_server_that_is_killed_loses_neither_what_was_typed_nor_what_trains(
    own_studio: Server, open_page: OpenPage, watch: Watch
) -> None:
    watch.allow(
        "ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET"
    )
    page = open_page("/data", server=own_studio)
    import_file(page, own_studio)
    to_recipe(page, WORDS["en"], epochs=6)
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url(re.compile(r"/runs/tickets-"))
    own_studio.kill()
    own_studio.start()

    def status() -> str:
        answer = page.request.get(f"{own_studio.url}/api/jobs")
        return next(str(job["status"]) for job in answer.json()["jobs"] if job["kind"] == "run")

    assert status() in ("running", "finished")
    page.goto(f"{own_studio.url}/train?step=3")
    expect(page.locator("input[placeholder='3']").first).to_have_value("6")
    assert until(lambda: status() if status() not in ("running", "queued") else "") == "finished"


def test_rows_are_shown_as_text_and_cleaning_before_it_is_done(
    own_studio: Server, open_page: OpenPage
) -> None:
    rows = [f"{HARMLESS} number {i},{'ab'[i % 2]}" for i in range(40)]
    (own_studio.world.folder / "tickets.csv").write_text("\n".join(["text,label", *rows, ""]), "utf-8")
    page = open_page("/data", server=own_studio)
    import_file(page, own_studio)
    expect(page.get_by_role("cell", name=HARMLESS).first).to_be_visible()
    page.get_by_label("Search all rows").fill("number 39")
    # The only `status` that says so: the toast is one too, and what loads while the search runs.
    expect(page.get_by_role("status").filter(has_text="1 row found")).to_be_visible()
    page.get_by_role("tab", name="Clean").click()
    page.get_by_label("Remove HTML").check()
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("del").first).to_have_text(HARMLESS)
