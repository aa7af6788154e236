"""Long curves and long tables are there at once and follow the hand; an open page costs nothing.

Times are taken by the page itself, and the best of a few tries counts: what else the machine does is not the
page's.
"""

from __future__ import annotations

import math
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from service import Server
from watching import Watch, settled
from world import World, take_in

from tunesmith.core.events import Evaluated, Event, StageStarted, Step, encode
from tunesmith.core.runs import RunFolder
from tunesmith.core.workspace import Workspace
from tunesmith.studio.series.library import Library

RUNS = [f"long-{number}" for number in range(10)]
STEPS = 100_000
METRICS = 14  # beside the loss, the rate, the norm, tokens, seconds and memory: twenty series
SPIKE = 300.0
TRIES = 6
FIRST_CHART_MS = 1000
FOLLOWS_MS = 100
IDLE_SHARE = 0.01
IDLE_S = 20.0
ROWS = 1_000_000
# When the first chart is there, and how long each answer to the hand takes until it can be seen.
TIMED = """
window.answers = [];
new MutationObserver((_, watch) => {
  if (!document.querySelector("main .u-over")) return;
  watch.disconnect();
  requestAnimationFrame(() => setTimeout(() => (window.charted = performance.now())));
}).observe(document, { subtree: true, childList: true });
for (const kind of ["mousemove", "mouseup"]) {
  addEventListener(kind, ({ timeStamp }) => {
    requestAnimationFrame(() => setTimeout(() => window.answers.push([kind, performance.now() - timeStamp])));
  }, true);
}
"""


@pytest.fixture(scope="module")
def desk(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over ten long runs. One is read as the service reads it; the others are the same bytes."""
    world = World(tmp_path_factory.mktemp("speed"))
    workspace = Workspace(world.workspace)
    runs = [RunFolder(workspace.runs / name) for name in RUNS]
    _write(runs[0])
    library = Library(workspace)
    library.of(runs[0])
    library.close()
    [kept] = (workspace.cache / "series").glob("*")
    for run in runs[1:]:
        run.path.mkdir()
        os.link(runs[0].recipe, run.recipe)
        os.link(runs[0].events.path, run.events.path)
        os.link(kept, kept.with_name(kept.name.replace(RUNS[0], run.id)))
    server = Server(world).start()
    yield server
    server.stop()


def _write(run: RunFolder) -> None:
    run.path.mkdir(parents=True)
    run.recipe.write_text("recipe: 1\ntask: classify\n")
    with run.events.path.open("w") as file:
        file.writelines(encode(event, 1.7e9 + number / 10) + "\n" for number, event in enumerate(_events()))


def _events() -> Iterator[Event]:
    chance = random.Random(1)
    yield StageStarted(stage="train", detail="bert")
    for step in range(1, STEPS + 1):
        loss = SPIKE if step == STEPS // 3 else 3 * math.exp(-3 * step / STEPS) + chance.random() / 5
        yield Step(
            step=step, steps=STEPS, epoch=step / STEPS, loss=loss, learning_rate=1e-3, seconds=0.1,
            grad_norm=chance.random(), tokens=512, memory=10**9,
        )  # fmt: skip
        yield Evaluated(step=step, scores={f"metric_{n}": chance.random() for n in range(METRICS)})


@pytest.fixture
def visit(desk: Server, new_context: Callable[..., BrowserContext], watch: Watch) -> Callable[[str], Page]:
    # Runs that were never evaluated have nothing to be compared by but their curves.
    watch.allow("api/comparison")

    def opened(path: str) -> Page:
        context = new_context(desk)
        context.add_init_script(TIMED)
        page = context.new_page()
        page.goto(desk.url + path)
        settled(page)
        return page

    return opened


def _compared(visit: Callable[[str], Page]) -> tuple[Page, float]:
    page = visit(f"/compare?runs={','.join(RUNS)}")
    expect(page.locator("main .u-over").first).to_be_visible()
    page.wait_for_timeout(500)
    return page, float(page.evaluate("window.charted"))


def test_the_chart_of_ten_long_runs_is_there_at_once_and_shows_one_spike(
    visit: Callable[[str], Page],
) -> None:
    tries: list[float] = []
    while len(tries) < TRIES and min(tries, default=math.inf) >= FIRST_CHART_MS:
        page, took = _compared(visit)
        tries.append(took)
    best = min(tries)
    print(f"first chart of ten runs: {best:.0f} ms, best of {[round(took) for took in tries]}")
    told = page.get_by_role("img").first.get_attribute("aria-label") or ""
    assert told.count(f"greatest {SPIKE:.0f}") == len(RUNS)
    assert best < FIRST_CHART_MS


def test_zoom_and_hover_follow_the_hand(visit: Callable[[str], Page]) -> None:
    page, _ = _compared(visit)
    page.locator("main .u-over").first.scroll_into_view_if_needed()
    tries: list[tuple[float, float]] = []
    while len(tries) < TRIES and min((zoom for _, zoom in tries), default=math.inf) >= FOLLOWS_MS:
        tries.append(_zoomed(page))
    finer = page.evaluate(
        "performance.getEntriesByType('resource').filter((one) => one.name.includes('from=')).at(-1).duration"
    )
    hover, zoom = (min(took) for took in zip(*tries, strict=True))
    print(f"hover: {hover:.0f} ms, zoom: {zoom:.0f} ms, finer points: {finer:.0f} ms, of {len(tries)} tries")
    assert hover < FOLLOWS_MS
    assert zoom < FOLLOWS_MS


def _zoomed(page: Page) -> tuple[float, float]:
    """Move over the chart and drag over a stretch of it; how long the page took to follow, in ms."""
    box = page.locator("main .u-over").first.bounding_box()
    assert box
    page.evaluate("window.answers = []")
    for offset in range(100, 400, 10):
        page.mouse.move(box["x"] + offset, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 600, box["y"] + 60, steps=5)
    with page.expect_response(lambda answer: "/api/series" in answer.url and "from=" in answer.url):
        page.mouse.up()
    page.wait_for_timeout(300)
    told = page.evaluate("window.answers")
    hover = sorted(took for kind, took in told if kind == "mousemove")
    return hover[len(hover) // 2], next(took for kind, took in told if kind == "mouseup")


def test_a_page_that_is_only_open_costs_the_server_next_to_nothing(
    desk: Server, visit: Callable[[str], Page]
) -> None:
    page = visit(f"/runs/{RUNS[0]}?tab=metrics")
    expect(page.locator("main .u-over").first).to_be_visible()
    page.wait_for_timeout(2000)
    before = _spent(desk.pid)
    page.wait_for_timeout(IDLE_S * 1000)
    share = (_spent(desk.pid) - before) / IDLE_S
    print(f"server while a page is open: {share:.2%} of a core")
    assert share < IDLE_SHARE


def _spent(pid: int) -> float:
    """Seconds of CPU that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_table_of_a_million_rows_scrolls(desk: Server, visit: Callable[[str], Page]) -> None:
    file = desk.world.folder / "million.csv"
    with file.open("w") as out:
        out.write("text,label\n")
        out.writelines(f"row number {number},{'ab'[number % 2]}\n" for number in range(ROWS))
    with desk.client() as http:
        page = visit(f"/data/{take_in(http, file)}")
    table = page.get_by_role("region").filter(has=page.get_by_role("table")).first
    expect(table.get_by_text("row number 0", exact=True)).to_be_visible()
    for share, row in ((1, ROWS - 1), (0, 0), (0.5, ROWS // 2)):
        began = time.monotonic()
        table.evaluate(
            "(box, share) => (box.scrollTop = share * (box.scrollHeight - box.clientHeight))", share
        )
        expect(table.get_by_text(f"row number {row}", exact=True)).to_be_visible()
        print(f"row {row:,} in sight after {time.monotonic() - began:.2f} s")
    table.hover()
    page.mouse.wheel(0, 36 * 20)
    expect(table.get_by_text(f"row number {ROWS // 2 + 25}", exact=True)).to_be_visible()
