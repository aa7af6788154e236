"""Speaks the part of vLLM's API that is used: says each prompt's ids again, one by one.

An id of 999 ends it without a word; 998 makes it wait for ever.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        allowed = self.headers["Authorization"] == f"Bearer {os.environ['VLLM_API_KEY']}"
        self.send_response(200 if allowed and asked["model"] == given.served_model_name else 401)
        self.end_headers()
        if 999 in asked["prompt"]:
            os._exit(3)
        ids = (asked["prompt"] * asked["max_tokens"])[: asked["max_tokens"]]
        for place, token in enumerate(ids):
            self.say(asked, token, "length" if place == len(ids) - 1 else None)
            while token == 998:
                time.sleep(0.05)
                self.say(asked, token, None)  # fails as soon as nobody listens

    def say(self, asked: dict[str, Any], token: int, finish: str | None) -> None:
        choice: dict[str, Any] = {"index": 0, "text": "", "token_ids": [token], "finish_reason": finish}
        if asked["logprobs"] is not None:
            others = {f"token_id:{token}": -0.5, "token_id:3": -0.25, "token_id:4": -4.0}
            choice["logprobs"] = {"token_logprobs": [-0.5], "top_logprobs": [others]}
        try:
            self.wfile.write(f"data: {json.dumps({'choices': [choice]})}\n\n".encode())
        except OSError:
            os.makedirs(left, exist_ok=True)
            raise

    def log_message(self, *_: Any) -> None:
        """Nothing."""


parser = argparse.ArgumentParser()
parser.add_argument("verb", choices=["serve"])
parser.add_argument("folder")
for name in ("--host", "--port", "--served-model-name", "--max-model-len", "--generation-config"):
    parser.add_argument(name, required=True)
given = parser.parse_args()
left = os.environ["STAND_IN_LEFT"]
if "broken" in given.folder:
    raise SystemExit(7)
ThreadingHTTPServer((given.host, int(given.port)), Handler).serve_forever()
