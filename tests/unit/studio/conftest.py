"""A Studio over an empty workspace that really listens, and clients of every role."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from tunesmith.core.workspace import Workspace
from tunesmith.serve.server import serving
from tunesmith.studio.app import StudioExtension
from tunesmith.studio.state import Studio


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio.over(Workspace(tmp_path_factory.mktemp("studio") / ".tunesmith"))


@pytest.fixture(scope="module")
def url(studio: Studio) -> Iterator[str]:
    with serving(studio.served, store=studio.store, extension=StudioExtension(studio)) as found:
        yield found


@pytest.fixture(scope="module")
def sign_in(studio: Studio, url: str) -> Iterator[Callable[[str], httpx.Client]]:
    """A browser of somebody with a role; it sends what our page sends."""
    clients: list[httpx.Client] = []

    def opened(role: str) -> httpx.Client:
        secret = studio.store.create_key(role, [f"studio:{role}"])[1]
        client = httpx.Client(base_url=url, headers={"X-Tunesmith": "1", "Origin": url}, timeout=60)
        clients.append(client)
        assert client.post("/api/session", json={"token": secret}).status_code == 200
        return client

    yield opened
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def admin(sign_in: Callable[[str], httpx.Client]) -> httpx.Client:
    return sign_in("admin")
