"""Models to be compared, found by what they are called: runs, releases, reports; or measured on a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tunesmith.core import recipe_file, runs
from tunesmith.core.errors import DataError, NotFoundError, UsageError
from tunesmith.core.runs import RunFolder
from tunesmith.core.workspace import Workspace
from tunesmith.eval import comparison, outcome_file
from tunesmith.eval.comparison import Comparison, Contender
from tunesmith.eval.outcome import renumbered
from tunesmith.eval.report import Report


def compare(names: Sequence[str], workspace: Workspace, *, data: Path | None = None) -> Comparison:
    """Compare models by what was kept of their evaluation, or on all usable rows of the file `data`.

    Raises:
        UsageError: C21 when there are not two.
        NotFoundError: C06 or C25 when one is not found.
        DataError: C20 when what one did on each row was not kept; C22 to C24 and C26 when they cannot be
            compared.
    """
    wanted = list(dict.fromkeys(names))
    if len(wanted) < 2:
        raise UsageError("C21", names=", ".join(names))
    if data is not None:
        return comparison.compare([_measured(name, data, workspace) for name in wanted])
    return comparison.compare([_kept(name, workspace) for name in wanted])


def _measured(name: str, data: Path, workspace: Workspace) -> Contender:
    from tunesmith.workflow.evaluate import evaluate

    found = evaluate(name, data, workspace)
    return Contender(name=name, report=found.report, outcome=renumbered(found.outcome, found.ids))


def _kept(name: str, workspace: Workspace) -> Contender:
    run = _folder(name, workspace)
    report = Report.load(run.report)
    if not run.outcome.exists():
        raise DataError("C20", file=run.outcome)
    return Contender(name=name, report=report, outcome=outcome_file.read(run.outcome), recipe=_recipe(run))


def _folder(name: str, workspace: Workspace) -> RunFolder:
    """The folder of a report: named by its path, a run's, or that of a release's run."""
    path = Path(name)
    folder = path.parent if path.name == "report.json" else path
    if (folder / "report.json").is_file():
        return RunFolder(folder)
    release = _release_run(name, workspace)
    if release is not None:
        return release
    return runs.find(workspace.runs, name)


def _release_run(name: str, workspace: Workspace) -> RunFolder | None:
    """The run that made a release, if there is such a release."""
    if not workspace.database.exists():
        return None
    from tunesmith.core.store import Store

    release = Store(workspace.database).find(name)
    if release is None:
        return None
    made_by = release.lineage.get("run", "")
    folder = RunFolder(workspace.runs / made_by)
    if not made_by or not folder.report.is_file():
        raise NotFoundError("C25", name=release.label, run=made_by or "-")
    return folder


def _recipe(run: RunFolder) -> dict[str, Any]:
    """The recipe of a run as `a.b.c: value`, without its lock; nothing where there is none."""
    if not run.recipe.exists():
        return {}
    values = recipe_file.parse(run.recipe).values
    return dict(_leaves({key: value for key, value in values.items() if key != "lock"}, ""))


def _leaves(value: Any, at: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{at}.{key}" if at else str(key))
    else:
        yield at, value
