"""Lost networks, second tabs, a killed server: nothing typed or trained is lost, no point is double."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
from playwright.sync_api import BrowserContext, Locator, Page, expect
from service import Server
from watching import Watch, settled
from world import until, until_over

SLOW = """
task: classify
model: {architecture: bert, hidden: 32, layers: 2, heads: 2, vocab: 500, context: 64}
data: {source: {train: tickets.csv, test: held-out.csv}, split: {overlap: drop}}
train: {epochs: 4, batch_size: 2, optimizer: {name: adamw, lr: 1e-3}}
"""
DOWN = r"ERR_|Failed to load resource|net::"
# Where the page tells a canvas' points: the summary that a screen reader gets, and the table of a chart.
STEPS = """() =>
  [...document.querySelectorAll("main figure tbody tr td:first-child")].map((cell) => cell.textContent)"""


def subject_of(http: httpx.Client, job: str) -> str:
    """The run of a job that has begun to train."""
    told = http.get(f"/api/jobs/{job}").json()
    assert told["status"] != "failed", told
    return str(told["subject"]) if told["progress"] else ""


def test_what_is_typed_survives_a_lost_network_and_a_killed_server(
    own_studio: Server, new_context: Callable[..., BrowserContext], watch: Watch
) -> None:
    watch.allow(DOWN)
    context = new_context(own_studio)
    page = context.new_page()
    page.goto(f"{own_studio.url}/runs")
    settled(page)
    page.evaluate("window.mark = 1")
    box = page.get_by_role("textbox").or_(page.get_by_role("searchbox")).first
    box.fill("router")
    context.set_offline(True)
    expect(_reconnecting(page)).to_be_visible(timeout=30_000)
    context.set_offline(False)
    expect(_reconnecting(page)).to_be_hidden(timeout=30_000)
    own_studio.kill()
    expect(_reconnecting(page)).to_be_visible(timeout=30_000)
    own_studio.start()
    expect(_reconnecting(page)).to_be_hidden(timeout=30_000)
    assert box.input_value() == "router"
    assert page.evaluate("window.mark") == 1, "the page was loaded anew"
    page.reload()
    settled(page)
    assert box.input_value() == "router", "the address is the state"


def test_training_outlives_the_server_and_its_curve_is_whole(
    own_studio: Server, new_context: Callable[..., BrowserContext], watch: Watch
) -> None:
    watch.allow(DOWN)
    context = new_context(own_studio)
    recipe = SLOW.replace("tickets.csv", str(own_studio.world.folder / "tickets.csv"))
    recipe = recipe.replace("held-out.csv", str(own_studio.world.folder / "held-out.csv"))
    with own_studio.client() as http:
        job = http.post("/api/jobs", json={"kind": "run", "recipe": recipe, "name": "slow"}).json()["id"]
        run = until(lambda: subject_of(http, job))
    pages = [context.new_page(), context.new_page()]
    for page in pages:
        page.goto(f"{own_studio.url}/runs/{run}?tab=metrics")
        settled(page)
    own_studio.kill()
    own_studio.start()
    for page in pages:
        page.bring_to_front()
        expect(_reconnecting(page)).to_be_hidden(timeout=30_000)
    with own_studio.client() as http:
        assert until_over(http, job)["status"] == "finished"
    for page in pages:
        page.bring_to_front()
        steps = _drawn(page)
        assert len(steps) == len(set(steps)) > 10
        assert steps == sorted(steps)


def _reconnecting(page: Page) -> Locator:
    return page.locator(".reconnecting")


def _drawn(page: Page) -> list[float]:
    """The steps of the first chart, as its table shows them."""
    page.wait_for_timeout(1500)
    page.get_by_role("button", name=re.compile("table")).first.click()
    cells: list[str] = page.evaluate(STEPS)
    return [float(cell.replace(",", "")) for cell in cells]
