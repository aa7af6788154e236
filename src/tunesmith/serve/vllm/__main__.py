"""Runs a command as long as somebody listens: `python -m tunesmith.serve.vllm COMMAND...`.

The server of vLLM has processes of its own and does not notice that whoever started it was killed. This one
does, since its stdin ends then, and takes all of them along.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def main() -> int:
    """Run the command until it ends or stdin does; its exit status."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the server ends what was begun, and then us
    # It has an environment of its own, and prints to stderr: stdout belongs to who started us.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = subprocess.Popen(  # noqa: S603  a command of this machine's owner
        sys.argv[1:], stdin=subprocess.DEVNULL, stdout=2, env=environment, start_new_session=True
    )
    threading.Thread(target=_end_with_stdin, args=(command.pid,), daemon=True).start()
    return command.wait()


def _end_with_stdin(group: int) -> None:
    while os.read(0, 1):  # not by `sys.stdin`, which is closed at the end of the program
        """Nothing is said, but that somebody listens."""
    os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
