"""A real server over a real workspace, and a browser whose every complaint fails the test.

Write a test of a page like this; `open_page` signs in, sets the language, and waits until the page is there:

    def test_runs_are_listed(studio: Server, open_page: OpenPage) -> None:
        page = open_page("/runs", lang="zh")
        expect(page.get_by_role("link", name="router")).to_be_visible()

A test that changes what others see takes `own_studio`, a server over its own copy of the workspace.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, TypeAlias

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

import world as worlds  # noqa: E402
from playwright.sync_api import Browser, BrowserContext, Page, expect  # noqa: E402
from service import Server  # noqa: E402
from watching import Watch, settled  # noqa: E402
from world import World  # noqa: E402

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# Long enough for a machine that is busy with other things: what is to be quick is measured in the page.
PATIENCE_MS = 60_000
LANGUAGES = {"en": "en-GB", "zh": "zh-CN"}

Language: TypeAlias = Literal["en", "zh"]
OpenPage: TypeAlias = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def built() -> None:
    """The page of the present sources."""
    done = subprocess.run([sys.executable, ROOT / "web" / "building.py"], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(done.stderr.strip())


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, which resolves no name but this machine's."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    arguments = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    expect.set_options(timeout=PATIENCE_MS)
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def world(shared_data: Path) -> World:
    """Runs, releases and data; nobody changes them."""
    return worlds.make(shared_data)


@pytest.fixture(scope="session")
def studio(built: None, world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that change nothing."""
    server = Server(world.copy(tmp_path_factory.mktemp("studio") / "desk")).start()
    yield server
    server.stop()


@pytest.fixture
def own_studio(built: None, world: World, tmp_path: Path) -> Iterator[Server]:
    """A server over a copy of the world, for tests that change it or stop it."""
    server = Server(world.copy(tmp_path / "desk")).start()
    yield server
    server.stop()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """What the pages of this test complained about; `watch.allow(PATTERN)` where that is the point."""
    watching = Watch()
    yield watching
    watching.check()


@pytest.fixture
def new_context(browser: Browser, watch: Watch) -> Iterator[Callable[..., BrowserContext]]:
    """A fresh browser profile, watched: `new_context(studio, lang="zh")` is signed in."""
    made: list[BrowserContext] = []

    def make(server: Server, lang: Language = "en", width: int = 1280, dark: bool = False) -> BrowserContext:
        context = browser.new_context(
            viewport={"width": width, "height": 900 if width > 800 else 844},
            locale=LANGUAGES[lang],
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
        )
        made.append(context)
        watch.over(context)
        context.set_default_timeout(PATIENCE_MS)
        # The printed address opens a session, as it does for a visitor; the API answers with it too.
        context.request.get(server.address)
        return context

    yield make
    for context in made:
        context.close()


@pytest.fixture
def open_page(studio: Server, new_context: Callable[..., BrowserContext]) -> OpenPage:
    """Open a page of the common server in a new profile: `open_page("/runs", lang="zh", dark=True)`."""

    def visit(path: str, *, server: Server = studio, **wishes: object) -> Page:
        page = new_context(server, **wishes).new_page()
        page.goto(server.url + path)
        settled(page)
        return page

    return visit
