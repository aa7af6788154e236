"""tunesmith serve MODEL...: the HTTP API; one line on stdout when it is ready."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeAlias

from tunesmith.cli import ending, load_view
from tunesmith.cli.output import Output
from tunesmith.cli.parser import number
from tunesmith.core import text
from tunesmith.core.errors import UsageError
from tunesmith.serve.names import ENGINES, KV_CACHES, WEIGHTS, Computing

if TYPE_CHECKING:
    from fastapi import FastAPI

    from tunesmith.serve.deployments import Deployments
    from tunesmith.serve.request_log import RequestLog
    from tunesmith.serve.served import Deployment
    from tunesmith.studio.state import Studio
    from tunesmith.workflow.serving import Serving

    _Prepared: TypeAlias = tuple[Studio, FastAPI]


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """The models, and where to listen."""
    parser.add_argument("models", nargs="*", metavar="MODEL", help=text.say("cli.argument_models", lang))
    address(parser, lang)
    keeping(parser, lang)
    for name, many in (("canary", "canaries"), ("shadow", "shadows")):
        parser.add_argument(
            f"--{name}", action="append", default=[], metavar="LABEL=PERCENT", dest=many, type=_share,
            help=text.say(f"cli.option_{name}", lang),
        )  # fmt: skip
    for name in ("per-minute", "at-once"):
        parser.add_argument(
            f"--{name}", metavar="N", type=number(int, 1, 1_000_000),
            help=text.say(f"cli.option_{name.replace('-', '_')}", lang),
        )  # fmt: skip
    for name, known in (("engine", ENGINES), ("weights", WEIGHTS), ("kv-cache", KV_CACHES)):
        parser.add_argument(
            f"--{name}", choices=known, default="auto" if name == "engine" else None,
            help=text.say(f"cli.option_{name.replace('-', '_')}", lang),
        )  # fmt: skip
    parser.add_argument("--bench", metavar="URL", help=text.say("cli.option_bench", lang))
    load_view.options(parser, lang)


def address(parser: argparse.ArgumentParser, lang: str) -> None:
    """Where to listen, and under which names."""
    parser.add_argument("--host", default="127.0.0.1", help=text.say("cli.option_host", lang))
    parser.add_argument(
        "--port",
        type=number(int, 0, 65535),
        default=8000,
        metavar="N",
        help=text.say("cli.option_port", lang),
    )
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME", dest="hosts",
        help=text.say("cli.option_allow_host", lang),
    )  # fmt: skip


def keeping(parser: argparse.ArgumentParser, lang: str) -> None:
    """Whether requests are kept, and for how long."""
    parser.add_argument("--log-requests", action="store_true", help=text.say("cli.option_log_requests", lang))
    parser.add_argument(
        "--log-days",
        type=number(int, 1, 3650),
        default=30,
        metavar="N",
        help=text.say("cli.option_log_days", lang),
    )


def request_log(given: argparse.Namespace, output: Output) -> RequestLog | None:
    """Where requests are kept, if they are."""
    from tunesmith.serve.request_log import RequestLog

    return RequestLog(output.workspace.requests, days=given.log_days) if given.log_requests else None


def run(given: argparse.Namespace, output: Output) -> int:
    """Load the models and serve them until SIGINT or SIGTERM; or put a load on a server.

    Raises:
        UsageError: S70 when no model is named.
    """
    if given.bench:
        return load_view.show(given, output)
    if not given.models:
        raise UsageError("S70")
    from tunesmith.serve.deployments import Deployments
    from tunesmith.workflow.serving import serving

    deployments = Deployments(())
    prepared: list[Future[_Prepared]] = []
    with ThreadPoolExecutor(1) as beside:

        def loading(label: str) -> None:
            """The processes of the models take longer to load them than we take for all the rest."""
            output.hint(output.say("serve_loading", name=label))
            if not prepared:
                prepared.append(beside.submit(_prepare, given, output, deployments))

        made = serving(
            given.models,
            output.workspace,
            canaries=given.canaries,
            shadows=given.shadows,
            host=given.host,
            computing=Computing(engine=given.engine, weights=given.weights, kv_cache=given.kv_cache),
            loading=loading,
            deployments=deployments,
        )
    with closing(deployments):
        _listen(given, output, made, *prepared[0].result())
    return 0


def _prepare(given: argparse.Namespace, output: Output, deployments: Deployments) -> _Prepared:
    """The Studio, and the application over models that are still to come."""
    from tunesmith.serve.pace import Pace
    from tunesmith.serve.server import application
    from tunesmith.studio.app import StudioExtension
    from tunesmith.studio.state import Studio

    log = request_log(given, output)
    studio = Studio.over(output.workspace, deployments, logs=log is not None)
    app = application(
        deployments, host=given.host, hosts=given.hosts, store=studio.store, log=log,
        pace=Pace(per_minute=given.per_minute, at_once=given.at_once), extension=StudioExtension(studio),
    )  # fmt: skip
    return studio, app


def _listen(given: argparse.Namespace, output: Output, made: Serving, studio: Studio, app: FastAPI) -> None:
    from tunesmith.serve.server import listen

    with closing(studio.hosting):
        studio.hosting.follow(made.sources)
        listen(
            app,
            host=given.host,
            port=given.port,
            ready=lambda url: _say_ready(output, url, studio, made),
            ending=ending.begin,
        )


def _say_ready(output: Output, url: str, studio: Studio, made: Serving) -> None:
    """Where the models and the page are, and what is computed otherwise than it was asked for."""
    served = [*made.deployments]
    output.data({"url": url, "studio": studio.address(url), "models": [_told(each) for each in served]})
    output.line(output.say("serve_ready", url=url))
    output.hint(output.say("serve_studio", url=studio.address(url)))
    for base, names in _shared(served).items():
        output.hint(output.say("serve_shared", base=base, names=", ".join(names)))
    for name, kind in made.apart.items():
        output.hint(output.say("serve_apart", name=name, kind=kind))
    for deployment in served:
        if instead := getattr(deployment, "instead", None):
            output.hint(
                output.say("serve_instead", name=deployment.name, reason=text.because(instead, output.lang))
            )
    output.hint(output.say("serve_how_to_end"))


def _told(deployment: Deployment) -> dict[str, Any]:
    """A served model as JSON."""
    told = {"name": deployment.name, "aliases": list(deployment.aliases), "task": deployment.task}
    more = {name: getattr(deployment, name, None) for name in ("computed", "base")}
    return told | {name: value for name, value in more.items() if value}


def _shared(deployments: Iterable[Deployment]) -> dict[str, list[str]]:
    """By the name of a base, the models that share its weights."""
    found: dict[str, list[str]] = {}
    for deployment in deployments:
        if base := getattr(deployment, "base", None):
            found.setdefault(base, []).append(deployment.name)
    return found


def _share(given: str) -> tuple[str, float]:
    """`LABEL=PERCENT`."""
    label, _, percent = given.rpartition("=")
    if not label:
        raise ValueError(given)
    return label, number(float, 0, 100)(percent) / 100
