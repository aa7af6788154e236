"""Every page in both languages, both themes and two widths: legible, reachable, complete, not too wide."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page
from watching import settled
from world import Server

ROOT = Path(__file__).parents[2]
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = ROOT / "build" / "screenshots"
WIDTHS = {1280: 900, 390: 844}
PATHS = {
    "home": "/",
    "data": "/data",
    "label": "/label",
    "models": "/models",
    "model": "/models/minilm",
    "train": "/train",
    "runs": "/runs",
    "run": "/runs/{router}",
    "compare": "/compare?runs={router},{slow}",
    "evaluate": "/evaluate/{router}",
    "play": "/play",
    "attention": "/attention",
    "serve": "/serve",
    "keys": "/keys",
    "jobs": "/jobs",
    "settings": "/settings",
    "lost": "/nowhere",
}
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


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", PATHS)
def test_page(
    name: str, lang: str, studio: Server, new_context: Callable[..., BrowserContext], axe: str
) -> None:
    page = new_context(studio, lang=lang).new_page()
    runs = studio.world.runs
    page.goto(studio.url + PATHS[name].format(router=runs["router.yaml"], slow=runs["router-slow.yaml"]))
    settled(page)
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
