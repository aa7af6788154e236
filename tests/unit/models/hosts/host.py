"""A host with an OpenAI-compatible API on loopback, whose answers a test writes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, dict[str, str], Any]


def said(answer: str, tokens: int = 7) -> Reply:
    """An answer as OpenAI's API gives it."""
    choices = [{"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}]
    return 200, {}, {"choices": choices, "usage": {"total_tokens": tokens}}


def failed(status: int, message: str, **headers: str) -> Reply:
    """A refusal as OpenAI's API gives it."""
    return status, headers, {"error": {"message": message}}


@dataclass
class Host:
    """What was asked, and how it is answered: by the next reply, or by a function of the request."""

    replies: list[Reply] = field(default_factory=list)
    answer: Callable[[dict[str, Any]], Reply] | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    url: str = ""


@contextmanager
def running() -> Iterator[Host]:
    """A host that answers until the block ends."""
    host = Host()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            host.asked.append({"path": self.path, **body})
            host.keys.append(self.headers.get("Authorization"))
            status, headers, content = host.answer(body) if host.answer else host.replies.pop(0)
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    host.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
