"""Labelling in a real browser by the keyboard alone: quick; nothing is lost or counted twice."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from service import Server, tunesmith
from watching import Watch
from world import World

LABELS = ("card", "fee", "汇率")
# From the press of a key to the next item in the page, noted by the page itself.
TIMED = """
window.delays = [];
let pressed = 0;
addEventListener("keydown", () => (pressed = performance.now()), true);
new MutationObserver(() => {
  const text = document.querySelector("main .text")?.textContent;
  if (pressed && text && text !== window.seen) {
    window.seen = text;
    window.delays.push(performance.now() - pressed);
    pressed = 0;
  }
}).observe(document, { subtree: true, childList: true, characterData: true });
"""
SPANS = [
    {"text": "👍🏽张三在北京工作，𠮷野家也在。", "spans": []},
    {"text": "Ann e\u0301tait à Paris 🇫🇷 hier.", "spans": []},
]


@pytest.fixture
def desk(built: None, tmp_path: Path) -> Iterator[Server]:
    """A server over a workspace with a project of 240 rows."""
    with (tmp_path / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        rows = [(f"row {n} 第{n}条 😀", LABELS[n % 3]) for n in range(240)]
        csv.writer(file).writerows([("text", "label"), *rows])
    lines = "".join(json.dumps(row) + "\n" for row in SPANS)
    (tmp_path / "people.jsonl").write_text(lines, "utf-8")
    for words in (["rows.csv"], ["people.jsonl", "--task", "spans", "--labels", "PER,LOC"]):
        made = tunesmith("data", "label", *words, "--status", cwd=tmp_path)
        assert made.returncode == 0, made.stderr
    server = Server(World(tmp_path)).start()
    yield server
    server.stop()


@pytest.fixture
def label(desk: Server, new_context: Callable[..., BrowserContext]) -> Callable[..., Page]:
    """The page of a project, which notes how quick it is."""

    def opened(project: str = "rows", **wishes: object) -> Page:
        context = new_context(desk, **wishes)
        context.add_init_script(TIMED)
        page = context.new_page()
        page.goto(f"{desk.url}/label/{project}")
        page.wait_for_selector("main .text")
        return page

    return opened


def press(page: Page, count: int, first: int) -> None:
    """Label so many rows, each with the key of its right label."""
    for number in range(first, first + count):
        expect(page.locator("main .text")).to_have_text(f"row {number} 第{number}条 😀")
        page.keyboard.press(str(number % 3 + 1))


def saved(page: Page) -> None:
    done = page.get_by_text(re.compile("All saved|已全部保存|Nothing is left"))
    expect(done.first).to_be_visible()


def decided(server: Server) -> list[dict[str, object]]:
    """Every decision in the store."""
    tunesmith("data", "label", "rows", "--out", "all.jsonl", "--to", "decisions", cwd=server.world.folder)
    return [json.loads(line) for line in (server.world.folder / "all.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_two_hundred_rows_are_labelled_without_a_mouse_through_a_lost_network_and_a_killed_server(
    desk: Server, label: Callable[..., Page], watch: Watch, lang: str
) -> None:
    watch.allow("Failed to load resource|ERR_|net::|EventSource")
    page = label(lang=lang)
    press(page, 80, 0)
    saved(page)
    page.context.set_offline(True)
    press(page, 20, 80)
    expect(page.get_by_text("No connection").or_(page.get_by_text("连接中断"))).to_be_visible()
    page.context.set_offline(False)
    saved(page)
    desk.kill()
    press(page, 8, 100)
    desk.start()
    saved(page)
    press(page, 92, 108)
    saved(page)
    delays = sorted(page.evaluate("window.delays"))
    print(f"key to next item, {lang}: median {delays[len(delays) // 2]:.1f} ms of {len(delays)}")
    assert len(delays) >= 190
    assert delays[len(delays) // 2] < 50
    made = decided(desk)
    assert sorted(one["item"] for one in made) == list(range(200))
    assert len({one["event"] for one in made}) == 200
    assert all(one["answer"] == {"label": LABELS[int(str(one["item"])) % 3]} for one in made)


def test_undo_back_search_skip_bulk_and_other_keys(desk: Server, label: Callable[..., Page]) -> None:
    page = label()
    text = page.locator("main .text")
    press(page, 3, 0)
    page.keyboard.press("z")
    expect(text).to_contain_text("row 2 ")
    page.keyboard.press("Enter")
    page.keyboard.press("[")
    expect(text).to_contain_text("row 2 ")
    page.keyboard.press("1")
    expect(text).to_contain_text("row 3 ")
    page.keyboard.press("/")
    page.keyboard.type("汇")
    page.keyboard.press("Enter")
    expect(text).to_contain_text("row 4 ")
    page.keyboard.press("Space")
    expect(text).to_contain_text("row 5 ")
    page.keyboard.press("b")
    expect(page.get_by_role("dialog")).to_contain_text("汇率")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(text).to_contain_text("row 5 ")
    page.keyboard.press("?")
    page.get_by_role("button", name="Another key for: Undo").click()
    page.keyboard.press("u")
    page.keyboard.press("Escape")
    page.keyboard.press("h")
    expect(page.get_by_text("Suggested:")).to_have_count(0)
    page.keyboard.press("2")
    expect(text).to_contain_text("row 6 ")
    page.keyboard.press("u")
    expect(text).to_contain_text("row 5 ")
    saved(page)
    made = decided(desk)
    last = {one["item"]: one for one in made}
    assert last[2]["answer"] == {"label": "card"}
    assert last[3]["answer"] == {"label": "汇率"}
    assert last[4]["kind"] == "skip"
    assert last[8]["answer"] == {"label": "汇率"}
    assert last[5]["kind"] == "undo"


def test_spans_by_shift_and_arrows_and_by_mouse_are_code_points(
    desk: Server, label: Callable[..., Page]
) -> None:
    page = label("people")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator("main .text")).to_contain_text("Paris")
    box = page.evaluate(
        """() => {
          const node = document.querySelector("main .text [data-start]").firstChild;
          const at = node.data.indexOf("Paris");
          const range = document.createRange();
          range.setStart(node, at);
          range.setEnd(node, at + 5);
          const { left, right, top, height } = range.getBoundingClientRect();
          return [left, right, top + height / 2];
        }"""
    )
    page.mouse.move(box[0] + 1, box[2])
    page.mouse.down()
    page.mouse.move(box[1], box[2])
    page.mouse.up()
    page.get_by_role("button", name="LOC", exact=False).first.click()
    page.keyboard.press("Enter")
    saved(page)
    tunesmith("data", "label", "people", "--out", "p.jsonl", "--to", "doccano", cwd=desk.world.folder)
    rows = [json.loads(line) for line in (desk.world.folder / "p.jsonl").read_text("utf-8").splitlines()]
    found = [
        [row["text"][start:end] for start, end, _ in next(iter(v for k, v in row.items() if k != "text"))]
        for row in rows
    ]
    assert found[0][0].startswith("张")
    assert "👍" not in found[0][0]
    assert found[1] == ["Paris"]
