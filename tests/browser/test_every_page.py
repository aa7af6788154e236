"""Every page in both languages, both themes and two widths: legible, reachable, complete, not too wide."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from service import Server
from watching import settled
from world import until

ROOT = Path(__file__).parents[2]
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = ROOT / "build" / "screenshots"
WIDTHS = {1280: 900, 390: 844}
PATHS = {
    "home": "/",
    "data": "/data",
    "dataset": "/data/{dataset}",
    "profile": "/data/{dataset}?tab=profile",
    "clean": "/data/{dataset}?tab=clean",
    "label": "/label",
    "labelling": "/label/tickets",
    "judged": "/label/tickets?tab=judged",
    "models": "/models",
    "model": "/models/minilm",
    "train": "/train?dataset={dataset}&step=1",
    "train-model": "/train?dataset={dataset}&step=2",
    "train-recipe": "/train?dataset={dataset}&step=3",
    "runs": "/runs",
    "run": "/runs/{router}",
    "curves": "/runs/{router}?tab=metrics",
    "compare": "/compare?runs={router},{slow}",
    "evaluate": "/evaluate/{router}",
    "play": "/play?models=tiny-zh-en",
    "play-classify": "/play?models=router@production",
    "attention": "/attention?model=tiny-zh-en&text=The cat sat on the mat",
    "serve": "/serve",
    "keys": "/keys",
    "jobs": "/jobs",
    "settings": "/settings",
    "lost": "/nowhere",
}
LOADED = ("tiny-zh-en", "router@production")
QUESTIONS = {"play": "什么是机器学习？", "play-classify": "My card has not arrived yet"}
# Names that are the same in both languages. What people or models wrote is marked `translate="no"`.
NAMES = re.compile(
    r"\b(Tunesmith|Studio|JSONL?|CSV|YAML|HTTP|API|URL|GPU|CPU|LoRA|Python|OpenAI|curl|PNG|SVG|GiB|MiB|KiB|Apache"
    r"|Ctrl|Cmd|Shift|Enter|Esc|log|token|tokens|English|loss|macro|micro|F1|ROC|AUC|ECE|BLEU|chrF|ROUGE)\b"
)
# A theme changes colours and nothing else: all rules are tried once for each theme and each width.
_AXE = """async (all) => {
  const rules = all ? {} : { runOnly: ["color-contrast"] };
  const found = await axe.run({ resultTypes: ["violations"], ...rules });
  return found.violations
    .filter((v) => v.impact === "serious" || v.impact === "critical")
    .map((v) => [`${v.id}: ${v.help}`, ...v.nodes.slice(0, 3).map((n) => n.html)].join("\\n  "));
}"""
_OVERFLOW = """() => document.documentElement.scrollWidth - document.documentElement.clientWidth"""
_WORDS = """() => {
  const skip = "[translate=no], code, pre, kbd, script, style, textarea, option, title, .mono";
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const words = [];
  while (walk.nextNode()) {
    const node = walk.currentNode;
    const parent = node.parentElement;
    if (node.data.trim() && !parent.closest(skip) && parent.checkVisibility()) words.push(node.data.trim());
  }
  return words;
}"""


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: npm ci in web/")
    return AXE.read_text()


@pytest.fixture(scope="module")
def loaded(studio: Server) -> Server:
    """The common server with a chat model and a classifier in memory."""
    with studio.client() as http:
        for name in LOADED:
            http.post("/api/deployments", json={"model": name}).raise_for_status()
        until(lambda: len(http.get("/api/deployments").json()["deployments"]) == len(LOADED))
    return studio


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", PATHS)
def test_page(
    name: str, lang: str, loaded: Server, new_context: Callable[..., BrowserContext], axe: str
) -> None:
    page = new_context(loaded, lang=lang).new_page()
    world = loaded.world
    runs = {"router": world.runs["router.yaml"], "slow": world.runs["router-slow.yaml"]}
    page.goto(loaded.url + PATHS[name].format(dataset=world.dataset, **runs))
    settled(page)
    _used(page, name)
    page.evaluate(axe)
    wrong = [
        finding
        for width in WIDTHS
        for dark in (False, True)
        for finding in _look(page, name, lang, width, dark)
    ]
    if lang == "zh":
        wrong += [f"untranslated: {text}" for text in page.evaluate(_WORDS) if _is_untranslated(text)]
    assert not wrong, "\n".join(wrong)


def _used(page: Page, name: str) -> None:
    """Let a page show what it is for."""
    if name in QUESTIONS:
        page.locator("main textarea").first.fill(QUESTIONS[name])
        page.keyboard.press("Control+Enter")
        expect(page.locator("article footer").first).to_be_visible()
    if name == "attention":
        expect(page.locator("main canvas").nth(4)).to_be_visible()
    if name == "labelling":
        expect(page.locator("main .text")).to_be_visible()


def _look(page: Page, name: str, lang: str, width: int, dark: bool) -> list[str]:
    theme = "dark" if dark else "light"
    page.set_viewport_size({"width": width, "height": WIDTHS[width]})
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.wait_for_timeout(60)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}-{lang}-{theme}-{width}.png", full_page=True)
    found: list[Any] = page.evaluate(_AXE, dark == (width < 800))
    over = page.evaluate(_OVERFLOW)
    return [f"{theme} {width}: {text}" for text in [*found, *([f"{over} px too wide"] if over > 0 else [])]]


def _is_untranslated(text: str) -> bool:
    return bool(re.search(r"[A-Za-z]{3,}\s+[A-Za-z]{2,}", NAMES.sub("", text)))
