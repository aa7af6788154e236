"""A process like that of an engine, without a model: says each sequence's ids one by one, then 7s.

999 ends it without a word, as a text `poison` does; a text `endless` gets no answer, after 998 it says what
nobody understands. `wishes` may say how it `fails` before it is ready.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import Any

import numpy as np

from tunesmith.core.errors import ModelError
from tunesmith.models.token import Token
from tunesmith.serve.worker.channel import Channel, Message, write
from tunesmith.serve.worker.codec import error_out, item_out

channel = Channel(sys.stdin.buffer, sys.stdout.buffer)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def beat() -> None:
    while True:
        channel.send(write({"is": "alive", "healthy": True}))
        time.sleep(0.05)


def begin(message: Message) -> None:
    ids, room = message["prompt"]["ids"], message["prompt"]["sampling"]["max_new_tokens"]
    if 999 in ids:
        die()
    if 998 in ids:
        channel.send(b"\xff" * 100)
        return
    said: list[Any] = []
    for place in range(1 if room > 100 else room):  # who wants so many gets one and has to wait
        finish = "length" if place == room - 1 else None
        token = Token(handle=0, id=(ids + [7] * room)[place], likelihood=None, finish=finish)
        said.append([message["id"], *item_out(token)])
    channel.send(write({"is": "items", "items": said}))


def predict(message: Message) -> None:
    if "poison" in message["items"]:
        die()
    if "endless" in message["items"]:
        return
    found = np.array([[len(text), 0.5] for text in message["items"]], dtype=np.float32)
    channel.send(write({"is": "found", "id": message["id"], "rows": None}, found))


def main() -> None:
    wishes = channel.receive() or {}
    match wishes.get("fails"):
        case "told":
            channel.send(write({"is": "failed", "error": error_out(ModelError("M13", name="x"))}))
            return
        case "untold":
            die()
    channel.send(write({"is": "alive", "healthy": True}))
    channel.send(write({"is": "ready"}))
    if wishes.get("fails") == "later":
        die()
    threading.Thread(target=beat, daemon=True).start()
    while message := channel.receive():
        if message["do"] != "stop":
            {"begin": begin, "predict": predict}[message["do"]](message)


main()
