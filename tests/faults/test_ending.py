"""SIGTERM ends a server within 25 seconds, even where a client never ends what it began."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.faults
BEGUN = b"""POST /v1/completions HTTP/1.1\r
Host: localhost\r
Content-Type: application/json\r
Content-Length: 100\r
\r
{"""


@pytest.mark.parametrize("verb", ["serve", "studio"])
def test_it_ends_whatever_clients_do(verb: str, shared_data: Path, tmp_path: Path) -> None:
    models = [str(shared_data / "weights" / "stories260K-hf")] if verb == "serve" else []
    command = [sys.executable, "-m", "tunesmith", verb, *models, "--port", "0", "--json"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = urlsplit(json.loads(server.stdout.readline() if server.stdout else "{}")["url"])
            with socket.create_connection((address.hostname, address.port)) as client:
                client.sendall(BEGUN)
                time.sleep(0.5)
                began = time.monotonic()
                server.send_signal(signal.SIGTERM)
                status = server.wait(timeout=60)
        finally:
            server.kill()
    took = time.monotonic() - began
    print(f"{verb} ended after {took:.1f} s")
    assert status == 0
    assert took < 25
