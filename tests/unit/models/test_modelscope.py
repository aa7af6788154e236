"""Models of ModelScope, for which a small server stands: fetched, continued, held to their sha256."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlparse

import pytest

from tunesmith.core.errors import TunesmithError
from tunesmith.models import modelscope

FILES = {"config.json": b"{}", "model.safetensors": bytes(range(256)) * 40, "run.py": b"import os"}


class Hub(BaseHTTPRequestHandler):
    """Lists files and gives them, or what stands after some byte of them."""

    lies: str | None = None
    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        url = urlparse(self.path)
        if not url.path.startswith("/api/v1/models/org/tiny/"):
            self._answer(404, b"")
        elif url.path.endswith("/files"):
            listed = [
                {"Path": n, "Type": "blob", "Sha256": "0" * 64 if n == self.lies else _sha(c)}
                for n, c in FILES.items()
            ]
            self._answer(200, json.dumps({"Data": {"Files": listed}}).encode())
        else:
            name, start = parse_qs(url.query)["FilePath"][0], self.headers.get("Range")
            self.asked.append((name, start))
            first = int(start[6:-1]) if start else 0
            self._answer(206 if start else 200, FILES[name][first:])

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    """The hub at an address of this machine, and an empty cache."""
    kind = cast("type[Hub]", type("OneHub", (Hub,), {"asked": []}))
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    yield kind
    server.shutdown()
    server.server_close()


def refused(name: str) -> str:
    with pytest.raises(TunesmithError) as caught:
        modelscope.fetched(name)
    return caught.value.problems[0].code


def test_a_model_is_fetched_once_without_its_code(hub: type[Hub], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = modelscope.fetched("org/tiny")
    assert (folder / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    assert not (folder / "run.py").exists()
    asked = len(hub.asked)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert modelscope.fetched("org/tiny") == folder
    assert len(hub.asked) == asked


def test_what_was_cut_off_is_continued(hub: type[Hub], tmp_path: Path) -> None:
    folder = tmp_path / "tunesmith" / "org--tiny"
    folder.mkdir(parents=True)
    (folder / "model.safetensors.part").write_bytes(FILES["model.safetensors"][:5000])
    modelscope.fetched("org/tiny")
    assert ("model.safetensors", "bytes=5000-") in hub.asked
    assert (folder / "model.safetensors").read_bytes() == FILES["model.safetensors"]


def test_a_file_that_is_not_what_the_hub_states_is_refused(hub: type[Hub], tmp_path: Path) -> None:
    hub.lies = "model.safetensors"
    assert refused("org/tiny") == "M07"
    assert not list(tmp_path.rglob("model.safetensors*"))


def test_what_is_not_there_or_cannot_be_asked_is_told(
    hub: type[Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refused("org/other") == "M01"
    assert refused("../../etc") == "M01"
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert refused("org/tiny") == "M02"
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", "http://127.0.0.1:9")
    assert refused("org/tiny") == "M02"
