"""What no page may do: reach another machine, break its own policy, complain to the console."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, Request, expect

HERE = ("127.0.0.1", "localhost")
_REPORT = """
addEventListener("securitypolicyviolation", (e) => {
  console.error(`CSP: ${e.violatedDirective} ${e.blockedURI}`);
});
"""


@dataclass
class Watch:
    """Collects what went wrong in a context; `allowed`: what a test brings about on purpose."""

    complaints: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> Watch:
        context.add_init_script(_REPORT)
        context.on("request", self._request)
        context.on("console", self._console)
        context.on("weberror", lambda error: self._broken(error.error))
        return self

    def allow(self, pattern: str) -> None:
        """This is what the test is about."""
        self.allowed.append(pattern)

    def check(self) -> None:
        found = [line for line in self.complaints if not any(re.search(one, line) for one in self.allowed)]
        assert not found, "\n".join(found)

    def _request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme in ("http", "https", "ws", "wss") and url.hostname not in HERE:
            self.complaints.append(f"request to another machine: {request.url}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            where = message.location.get("url", "")
            self.complaints.append(f"console {message.type}: {message.text} {where}")

    def _broken(self, error: Error) -> None:
        self.complaints.append(f"error in the page: {error}")


def settled(page: Page) -> None:
    """Wait until the page shows what it has to show."""
    page.wait_for_selector("main h1")
    # Not by wait_for_function: it asks again in the page by eval, which our policy forbids.
    expect(page.locator("main .loading")).to_have_count(0)
