"""The Python interface: what the command line's main verbs do, as functions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.core import workspace as workspaces
from tunesmith.core.recipe import Recipe
from tunesmith.core.workspace import Workspace
from tunesmith.train.parallel.joining import joined
from tunesmith.workflow import plan as planning
from tunesmith.workflow import run as running
from tunesmith.workflow import together
from tunesmith.workflow.plan import Plan

if TYPE_CHECKING:
    from tunesmith.eval.report import Report
    from tunesmith.models.loading import Model

Place = str | Path | Workspace | None


def _workspace(place: Place) -> Workspace:
    if isinstance(place, Workspace):
        return place
    return workspaces.find(None if place is None else Path(place))


def load(name: str | Path, *, workspace: Place = None) -> Model:
    """A model ready for use: a folder, `release[@alias|@version]`, a catalogue name or a hub id.

    Raises:
        NotFoundError: M01 when nothing has that name.
        MissingError: M02 when it is at a hub that cannot be reached.
        ModelError: when it is damaged, or a base that has to be trained first.
    """
    from tunesmith.models import loading
    from tunesmith.models.resolve import resolve

    return loading.load(resolve(str(name), _workspace(workspace)))


def run(
    recipe: str | Path | Recipe,
    *,
    overrides: Sequence[str] = (),
    workspace: Place = None,
    name: str = "recipe",
) -> dict[str, Any]:
    """Carry out a recipe, and return what `tunesmith run --json` prints; a finished run is not repeated.

    Several processes that torchrun started do it together; all return the same.

    Args:
        recipe: a file, or a Recipe, whose relative paths start from the current folder.
        overrides: keys of the file to change, as `a.b=c`.
        workspace: where runs and models are kept.
        name: what a run of a Recipe object is called.

    Raises:
        RecipeError, DataError, NotFoundError: all mistakes found before training.
        GateError: E10 when the model did not pass its gate; nothing was published.
    """
    place = _workspace(workspace)

    def make() -> Plan:
        if isinstance(recipe, Recipe):
            return planning.of(recipe, name, place)
        return planning.make(Path(recipe), place, overrides)

    with joined() as group:
        if group.rank == 0:
            with together.leading(group):
                return running.run(make(), group=group)
        together.assist(group, make)
    return running.finished(make())


def evaluate(
    model: str | Path,
    data: str | Path,
    *,
    task: str | None = None,
    metrics: Sequence[str] = (),
    slices: Sequence[str] = (),
    workspace: Place = None,
) -> Report:
    """Measure a model on all rows of a file.

    Raises:
        NotFoundError, ModelError, DataError: when model or file cannot be used.
    """
    from tunesmith.workflow.evaluate import evaluate as measure

    return measure(
        str(model), Path(data), _workspace(workspace), task=task, metrics=metrics, slices=slices
    ).report


def serve(
    *models: str | Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    log: bool = False,
    workspace: Place = None,
) -> None:
    """Serve models over HTTP until SIGINT or SIGTERM; with `log`, requests are kept for thirty days.

    Raises:
        UsageError: S19 for a host that other machines reach when there is no key; S20 for a busy port.
    """
    from contextlib import closing

    from tunesmith.serve.following import Follower
    from tunesmith.serve.request_log import RequestLog
    from tunesmith.serve.server import serve as listen
    from tunesmith.workflow.serving import serving

    place = _workspace(workspace)
    made = serving([str(name) for name in models], place, host=host)
    kept = RequestLog(place.requests) if log else None
    with closing(made.deployments), Follower(made.deployments, made.sources):
        listen(made.deployments, host=host, port=port, store=made.store, log=kept)
