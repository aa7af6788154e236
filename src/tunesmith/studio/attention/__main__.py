"""The process that looks into models: what it is asked comes through stdin, until the server is gone.

What libraries print goes to stderr, because stdout is the pipe to the server.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tunesmith.core.errors import TunesmithError
from tunesmith.core.workspace import Workspace
from tunesmith.serve.worker.channel import Channel, Message, write
from tunesmith.serve.worker.codec import error_out
from tunesmith.studio.attention.looking import Looker


def main() -> None:
    """Answer until the server is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the server ends us
    channel = Channel(sys.stdin.buffer, os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    where = channel.receive()
    if where is None:
        return
    looker = Looker(Workspace(Path(where["root"]), where["store"]))
    while (wishes := channel.receive()) is not None:
        channel.send(_answer(looker, wishes))


def _answer(looker: Looker, wishes: Message) -> bytes:
    try:
        said, numbers = looker.layer(wishes["model"], wishes["text"], wishes["kind"], wishes["layer"])
    except TunesmithError as error:
        return write({"error": error_out(error)})
    return write(said, numbers)


if __name__ == "__main__":
    main()
