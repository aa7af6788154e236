"""Listening: the address, who may reach it, and an orderly end."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import uvicorn
from fastapi import FastAPI

from tunesmith.core.errors import TunesmithError, UsageError
from tunesmith.core.store import Store
from tunesmith.serve.app import create_app
from tunesmith.serve.deployments import Deployments
from tunesmith.serve.extension import Extension
from tunesmith.serve.pace import Pace
from tunesmith.serve.reach import asks_for_keys
from tunesmith.serve.request_log import RequestLog
from tunesmith.serve.served import Deployment

DRAIN_S = 20  # closing models and the store takes time too: those who manage servers wait for 30 s
_WILDCARDS = ("", "0.0.0.0", "::")  # noqa: S104  recognised here, never a default


def serve(
    deployments: Sequence[Deployment] | Deployments,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    store: Store | None = None,
    hosts: Sequence[str] = (),
    log: RequestLog | None = None,
    pace: Pace | None = None,
    extension: Extension | None = None,
    ready: Callable[[str], None] = lambda url: None,
    ending: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGINT or SIGTERM; then what was begun is finished, for up to 20 s.

    Keys are asked for when the store has any, or when other machines can reach `host`.

    Args:
        deployments: The models; their engines are closed at the end.
        host: The address to listen at.
        port: The port; 0 takes a free one.
        store: Where keys are.
        hosts: Host names under which clients may address this server, beside loopback ones and `host`.
        log: Where requests and answers are kept, if they are.
        pace: How fast one key may ask, if that is bounded.
        extension: What there is beside the models, if there is anything.
        ready: Called once with the URL when requests are accepted.
        ending: Called once when no more are.

    Raises:
        UsageError: S19 for a host that other machines reach when there is no key; S20 when the address cannot
            be listened at.
    """
    app = application(
        deployments, host=host, store=store, hosts=hosts, log=log, pace=pace, extension=extension
    )
    listen(app, host=host, port=port, ready=ready, ending=ending)


def application(
    deployments: Sequence[Deployment] | Deployments,
    *,
    host: str,
    store: Store | None = None,
    hosts: Sequence[str] = (),
    log: RequestLog | None = None,
    pace: Pace | None = None,
    extension: Extension | None = None,
) -> FastAPI:
    """What is served at `host`; the models may come later. Arguments as in `serve`.

    Raises:
        UsageError: S19 for a host that other machines reach when there is no key.
    """
    return create_app(
        deployments,
        store=store,
        require_key=asks_for_keys(host, store),
        hosts=[*hosts] if host in _WILDCARDS else [host, *hosts],
        log=log,
        pace=pace,
        extension=extension,
    )


def listen(
    app: FastAPI,
    *,
    host: str,
    port: int,
    ready: Callable[[str], None],
    ending: Callable[[], None],
) -> None:
    """Serve an application; arguments and errors as in `serve`."""
    _Server.prepare(app, host, port, ready, ending).listen()


@contextmanager
def serving(
    deployments: Sequence[Deployment] | Deployments,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    store: Store | None = None,
    hosts: Sequence[str] = (),
    log: RequestLog | None = None,
    extension: Extension | None = None,
) -> Iterator[str]:
    """Serve in a thread for the time of a `with` block, which gets the URL. Arguments as in `serve`."""
    listening = threading.Event()
    app = application(deployments, host=host, store=store, hosts=hosts, log=log, extension=extension)
    server = _Server.prepare(app, host, port, lambda url: listening.set(), lambda: None)

    def work() -> None:
        try:
            server.listen()
        finally:
            listening.set()  # a server that could not start must not leave us waiting

    thread = threading.Thread(target=work, name="tunesmith-server")
    thread.start()
    try:
        listening.wait()
        if not server.started:
            raise TunesmithError("S20", host=host, port=port, reason="the server did not start")
        yield server.url
    finally:
        server.end()
        thread.join()


class _Server(uvicorn.Server):
    """uvicorn with its socket bound beforehand, a call when it is ready, and a normal return on signals."""

    def __init__(
        self,
        config: uvicorn.Config,
        app: FastAPI,
        listener: socket.socket,
        url: str,
        ready: Callable[[str], None],
        ending: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._app = app
        self._listener = listener
        self._ready, self._ending = ready, ending
        self.url = url

    @classmethod
    def prepare(
        cls,
        app: FastAPI,
        host: str,
        port: int,
        ready: Callable[[str], None],
        ending: Callable[[], None],
    ) -> _Server:
        """Bind."""
        listener = _bind(host, port)
        config = uvicorn.Config(
            app,
            log_config=None,  # logging belongs to the program, not to this library
            access_log=False,
            lifespan="on",
            ws="none",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=DRAIN_S,
        )
        return cls(config, app, listener, _url(host, listener.getsockname()[1]), ready, ending)

    def listen(self) -> None:
        """Run until told to stop."""
        with self._listener:
            self.run(sockets=[self._listener])

    def end(self) -> None:
        """Take no more requests; streams that have no end of their own see it in the application's state."""
        self._app.state.ending = self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept, then say so."""
        await super().startup(sockets)
        if self.started:
            self._ready(self.url)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so, then finish what was begun."""
        self._ending()
        logger = logging.getLogger("uvicorn.error")
        logger.addFilter(_is_news)
        try:
            await super().shutdown(sockets)
        finally:
            logger.removeFilter(_is_news)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop on a signal. uvicorn would raise it again at the end; that we came here is enough."""
        self._app.state.ending = True
        super().handle_exit(sig, frame)
        self._captured_signals.clear()


def _bind(host: str, port: int) -> socket.socket:
    if not 0 <= port < 2**16:
        raise UsageError("S20", host=host, port=port, reason="ports are from 0 to 65535")
    flags = socket.AI_PASSIVE
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=flags)
        return socket.create_server((host, port), family=found[0][0], backlog=2048)
    except OSError as error:
        busy = error.errno == errno.EADDRINUSE
        reason = "another program listens there" if busy else str(error)
        raise UsageError("S20", host=host, port=port, reason=reason) from error


def _url(host: str, port: int) -> str:
    name = "127.0.0.1" if host in _WILDCARDS else host
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def _is_news(record: logging.LogRecord) -> bool:
    """Whether uvicorn has more to tell than where a request was cut off: that it was is a line of its own."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))
