"""Watching and judging runs in the browser: the list, live curves, comparisons, evaluations."""

from __future__ import annotations

import json
import math
import re

from playwright.sync_api import Page, expect
from service import Server
from watching import Watch

from tunesmith.core.events import Event, EventLog, StageStarted, Step


def step(number: int, steps: int, loss: float) -> Step:
    return Step(
        step=number, steps=steps, epoch=number / steps, loss=loss, learning_rate=0.1, grad_norm=1.0,
        tokens=50, seconds=0.1, memory=2**20,
    )  # fmt: skip


def begin(server: Server, name: str, *events: Event) -> EventLog:
    """A run of which only the events are there."""
    folder = server.world.workspace / "runs" / name
    folder.mkdir(parents=True)
    (folder / "recipe.lock.yaml").write_text("recipe: 1\ntask: classify\n")
    log = EventLog(folder / "events.jsonl")
    log.append(StageStarted(stage="train", detail="bert"))
    for event in events:
        log.append(event)
    return log


def figures(page: Page, title: str) -> list[list[str]]:
    """The numbers of a chart, as its table shows them."""
    rows = page.get_by_role("region", name=title).locator("tbody tr")
    return [row.split("\t") for row in rows.all_inner_texts()]


def test_two_runs_are_ticked_and_compared(studio: Server, open_page) -> None:
    runs = studio.world.runs
    page = open_page("/runs")
    for name in ("router-slow.yaml", "router.yaml"):
        page.get_by_label(f"Choose {runs[name]}").check()
    page.get_by_role("toolbar").get_by_role("link", name="Compare").click()
    # The first comparison loads what tests are made with.
    expect(page.get_by_text("In one sentence")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("train.optimizer.lr")).to_be_visible()
    assert all(run in page.url for run in (runs["router.yaml"], runs["router-slow.yaml"]))
    page.get_by_role("tab", name="Both wrong").click()
    expect(page).to_have_url(re.compile("rows=both_wrong"))


def test_words_and_states_of_the_list_are_in_the_address(studio: Server, open_page) -> None:
    page = open_page("/runs?search=helper", lang="zh")
    expect(page.get_by_role("link", name=studio.world.runs["helper.yaml"])).to_be_visible()
    expect(page.get_by_role("link", name=studio.world.runs["router.yaml"])).to_have_count(0)
    page.get_by_role("searchbox").fill("nothing of the kind")
    expect(page.get_by_text("没有符合条件的运行")).to_be_visible()
    page.reload()
    expect(page.get_by_role("searchbox")).to_have_value("nothing of the kind")


def test_a_cell_of_the_confusion_matrix_leads_to_its_rows(studio: Server, open_page) -> None:
    run = studio.world.runs["router-slow.yaml"]
    report = json.loads((studio.world.workspace / "runs" / run / "report.json").read_text())
    labels, counts = report["labels"], report["confusion"]
    r, c = next((r, c) for r, row in enumerate(counts) for c, n in enumerate(row) if n and r != c)
    page = open_page(f"/evaluate/{run}")
    page.get_by_role("button", name=f"{labels[r]} taken for {labels[c]}: {counts[r][c]} rows").click()
    rows = page.locator("#rows tbody tr")
    expect(rows).to_have_count(counts[r][c])
    assert all(labels[r] in text and labels[c] in text for text in rows.all_inner_texts())
    page.reload()
    expect(rows).to_have_count(counts[r][c])


def test_one_spike_and_one_nan_among_many_points_are_seen(own_studio: Server, open_page) -> None:
    course = [math.exp(-n / 5000) for n in range(20_000)]
    course[7_777], course[15_555] = 90.0, math.nan
    begin(own_studio, "spiky-1", *(step(n, 20_000, loss) for n, loss in enumerate(course, start=1)))
    page = open_page("/runs/spiky-1?tab=metrics", server=own_studio)
    expect(page.get_by_text("The loss is not a number")).to_be_visible()
    expect(page.get_by_role("img", name="Training loss")).to_have_attribute(
        "aria-label", re.compile("greatest 90")
    )


def test_curves_go_on_over_a_killed_server_without_gap_or_double_point(
    own_studio: Server, open_page, watch: Watch
) -> None:
    watch.allow("ERR_|Failed to load")
    log = begin(own_studio, "live-1", *(step(n, 100, 1 / n) for n in range(1, 6)))
    page = open_page("/runs/latest?tab=metrics", server=own_studio)
    expect(page).to_have_url(own_studio.url + "/runs/live-1?tab=metrics")
    page.evaluate("window.untouched = true")
    page.get_by_role("button", name="Show as a table").first.click()
    rows = page.get_by_role("region", name="Training loss").locator("tbody tr")
    expect(rows).to_have_count(5)
    for number in range(6, 9):
        log.append(step(number, 100, 1 / number))
    expect(rows).to_have_count(8)
    own_studio.kill()
    for number in range(9, 12):
        log.append(step(number, 100, 1 / number))
    own_studio.start()
    expect(rows).to_have_count(11)
    assert [row[0] for row in figures(page, "Training loss")] == [str(n) for n in range(1, 12)]
    assert page.evaluate("window.untouched")
