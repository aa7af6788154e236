"""tunesmith studio: the web page over the workspace; one line on stdout when it is ready."""

from __future__ import annotations

import argparse

from tunesmith.cli import ending, serve_verb
from tunesmith.cli.output import Output


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Where to listen, and whether requests to models are kept."""
    serve_verb.address(parser, lang)
    serve_verb.keeping(parser, lang)


def run(given: argparse.Namespace, output: Output) -> int:
    """Serve the Studio until SIGINT or SIGTERM."""
    from tunesmith.serve.server import serve
    from tunesmith.studio.app import StudioExtension
    from tunesmith.studio.state import Studio

    log = serve_verb.request_log(given, output)
    studio = Studio.over(output.workspace, logs=log is not None)

    def ready(url: str) -> None:
        output.data({"url": url, "studio": studio.address(url)})
        output.line(output.say("studio_ready", url=studio.address(url)))
        output.hint(output.say("serve_how_to_end"))

    where = {"host": given.host, "port": given.port, "hosts": given.hosts}
    extension = StudioExtension(studio)
    serve(
        studio.served,
        store=studio.store,
        log=log,
        extension=extension,
        ready=ready,
        ending=ending.begin,
        **where,
    )
    return 0
