"""Listening: refused where it would be open to all, clear where it cannot be, orderly at the end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tunesmith.core.errors import UsageError
from tunesmith.core.store import Store
from tunesmith.serve.deployment import deploy
from tunesmith.serve.server import serve, serving

ALL = "0.0.0.0"  # noqa: S104
PROGRAM = """
import sys
from pathlib import Path
from tunesmith.models.loading import load
from tunesmith.models.resolve import Resolved
from tunesmith.serve.deployment import deploy
from tunesmith.serve.server import serve

model = load(Resolved(name="stories", folder=Path(sys.argv[1])))
serve([deploy(model)], port=0, ready=lambda url: print(url, flush=True))
print("returned", flush=True)
"""


@pytest.fixture
def program(shared_data: Path) -> Iterator[subprocess.Popen[str]]:
    """A server in a process of its own."""
    folder = shared_data / "weights" / "stories260K-hf"
    command = [sys.executable, "-c", PROGRAM, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("host", [ALL, "::", "", "192.0.2.1"])
def test_an_address_others_can_reach_needs_a_key(tmp_path: Path, vowels: Any, host: str) -> None:
    store = Store(tmp_path / "store.sqlite")
    identity, _ = store.create_key("old", ("serve",))
    store.revoke_key(identity)
    deployment = deploy(vowels)
    for keys in (None, store):
        with pytest.raises(UsageError, match="keys create"):
            serve([deployment], host=host, port=0, store=keys)
    deployment.engine.close()
    store.close()


def test_with_a_key_it_listens_everywhere_and_asks_for_it(tmp_path: Path, vowels: Any) -> None:
    store = Store(tmp_path / "store.sqlite")
    _, secret = store.create_key("mine", ("serve",))
    with serving([deploy(vowels)], host=ALL, store=store) as url:
        assert httpx.get(f"{url}/v1/models").status_code == 401
        headers = {"Authorization": f"Bearer {secret}"}
        assert httpx.get(f"{url}/v1/models", headers=headers).status_code == 200
    store.close()


def test_a_busy_port_is_said_plainly(vowels: Any) -> None:
    deployment = deploy(vowels)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port}.*\n.*another program"):
            serve([deployment], port=port)
    deployment.engine.close()


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("127.0.0.1", -1)])
def test_an_impossible_address_is_said_plainly(vowels: Any, host: str, port: int) -> None:
    deployment = deploy(vowels)
    with pytest.raises(UsageError, match="S20"):
        serve([deployment], host=host, port=port)
    deployment.engine.close()


def test_after_serving_the_engines_are_closed(vowels: Any) -> None:
    deployment = deploy(vowels)
    with serving([deployment]) as url:
        assert httpx.get(f"{url}/health").json() == {"status": "ok"}
    assert not deployment.engine.stats().healthy
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/health")


def test_a_signal_lets_running_answers_end_then_returns(program: subprocess.Popen[str]) -> None:
    output = program.stdout
    assert output is not None
    url = output.readline().strip()
    body = {"model": "stories", "prompt": "Once", "max_tokens": 400, "stream": True}
    with httpx.stream("POST", f"{url}/v1/completions", json=body, timeout=60) as response:
        lines = response.iter_lines()
        next(lines)
        program.send_signal(signal.SIGTERM)
        rest = list(lines)
    assert "data: [DONE]" in rest
    assert program.wait(timeout=30) == 0
    assert output.read() == "returned\n"


def test_ready_is_said_when_requests_are_accepted(vowels: Any) -> None:
    statuses: list[int] = []
    with serving([deploy(vowels)]) as url:
        threads = [
            threading.Thread(target=lambda: statuses.append(httpx.get(f"{url}/health").status_code))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert statuses == [200] * 4


def test_a_request_that_is_cut_off_at_the_end_leaves_no_traceback(
    vowels: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tunesmith.serve.server.DRAIN_S", 1)
    with serving([deploy(vowels, name="vowels")]) as url:
        address = httpx.URL(url)
        client = socket.create_connection((address.host, address.port or 0))
        head = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        client.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        httpx.get(f"{url}/health")  # what came before is being answered
    client.close()
    assert "Cancel 1 running task" in caplog.text
    assert "Traceback" not in caplog.text
