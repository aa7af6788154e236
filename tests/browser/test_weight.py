"""What it costs to open the page: bytes, requests, and the time until there is something to see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import BrowserContext
from service import Server
from watching import settled

MOST_BYTES = 150_000
MOST_REQUESTS = 30
FIRST_PAINT_MS = 500
TRIES = 6
_COST = """() => {
  const parts = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const shell = parts.filter((part) => !part.name.includes("/api/"));
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  return {
    bytes: shell.reduce((sum, part) => sum + part.transferSize, 0),
    requests: parts.length,
    paint: paint.startTime,
  };
}"""


def test_the_page_is_light_and_soon_there(studio: Server, new_context: Callable[..., BrowserContext]) -> None:
    found = [_open(studio, new_context(studio))]
    # Again where it took longer: other work on the machine is not the page's.
    while len(found) < TRIES and found[-1]["paint"] >= FIRST_PAINT_MS:
        found.append(_open(studio, new_context(studio)))
    assert found[0]["bytes"] < MOST_BYTES
    assert found[0]["requests"] < MOST_REQUESTS
    assert found[-1]["paint"] < FIRST_PAINT_MS


def _open(server: Server, context: BrowserContext) -> dict[str, Any]:
    page = context.new_page()
    page.goto(server.url)
    settled(page)
    cost: dict[str, Any] = page.evaluate(_COST)
    print(cost)
    return cost
