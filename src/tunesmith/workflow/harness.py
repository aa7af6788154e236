"""Tasks of EleutherAI's lm-evaluation-harness put to a model of ours, in this process, and their report.

Its task files may name functions of Python files beside them: whoever runs tasks of a folder runs its code.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import sys
import time
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from tunesmith.core.errors import DataError, MissingError, ModelError, NotFoundError, TunesmithError
from tunesmith.core.registry import suggestion
from tunesmith.core.workspace import Workspace
from tunesmith.eval import harness_scores
from tunesmith.eval.report import Provenance, Report
from tunesmith.models.language import LanguageModel
from tunesmith.workflow import evaluate
from tunesmith.workflow.suites import TASK, Options

_SEED = 1234  # the harness's own, for the choice of examples
_LONGEST = 500


def measure(model: str, tasks: str, workspace: Workspace, options: Options) -> Report:
    """Put tasks to a model: their names, or folders whose tasks are all taken, divided by commas.

    `options.folder` has task files beside those of the harness.

    Raises:
        MissingError: M03 when the harness is not installed; C49 when a task's data is not at hand.
        NotFoundError: C48 when there is no such task; M01 no such model.
        ModelError: C45 when the model does not write texts.
    """
    began = time.monotonic()
    if importlib.util.find_spec("lm_eval") is None:
        raise MissingError("M03", name="--suite harness", package="lm_eval", extra="harness")
    loaded = evaluate.found(model, workspace)
    if not isinstance(loaded, LanguageModel):
        raise ModelError("C45", name=model)
    from tunesmith.eval.harness import HarnessModel

    found = results(HarnessModel(loaded), tasks, options)
    scores = harness_scores.scores(found)
    lower = harness_scores.lower(found)
    counts = found["n-samples"].values()
    rows, used = (sum(count[kind] for count in counts) for kind in ("original", "effective"))
    return Report(
        task=TASK,
        model=model,
        part=tasks,
        rows=used,
        scores={name: value for name, (value, _) in scores.items()},
        intervals={name: interval for name, (_, interval) in scores.items() if interval},
        directions={name: "lower" if name in lower else "higher" for name in scores},
        provenance=Provenance(run="", data=_digest(found), model=loaded.digest, versions=_versions()),
        samples=tuple(harness_scores.samples(found)),
        ledger={
            "read": rows, "used": used, "truncated": 0, "duplicate": 0, "held_out": {},
            "dropped": {"not drawn": rows - used} if rows > used else {},
        },
        seconds=time.monotonic() - began,
    )  # fmt: skip


def results(asked: Any, tasks: str, options: Options) -> Mapping[str, Any]:
    """What the harness tells of its tasks; `asked` is a model as it knows them.

    Raises:
        NotFoundError: C48 when there is no such task.
        MissingError: C49 when the harness cannot carry it out.
    """
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    manager, names = chosen(tasks, options.folder)
    try:
        found = _evaluated(manager.load(names), asked, options)
    except TunesmithError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise MissingError(
            "C49", tasks=", ".join(names), reason=" ".join(reason.split())[:_LONGEST]
        ) from error
    if not found["samples"]:
        raise DataError("C49", tasks=tasks, reason="no rows")
    return found


def _evaluated(loaded: Mapping[str, Any], asked: Any, options: Options) -> Mapping[str, Any]:
    from lm_eval.evaluator import evaluate

    for task in loaded["tasks"].values():
        _settle(task, options.shots)
    # Intervals are ours, and what it prints is no data.
    with redirect_stdout(sys.stderr):
        found: Mapping[str, Any] = evaluate(
            lm=asked,
            task_dict=loaded,
            limit=options.limit,
            bootstrap_iters=0,
            apply_chat_template=options.chat,
            fewshot_as_multiturn=options.chat,
            confirm_run_unsafe_code=options.run_code,
        )
    return found


def chosen(tasks: str, folder: Path | None) -> tuple[Any, list[str]]:
    """The harness's manager of tasks, and the names of those that are meant.

    Its own tasks are thousands of files, which are not looked at where those of folders suffice.

    Raises:
        NotFoundError: C48 when there is no such task.
    """
    from lm_eval.tasks import TaskManager

    wanted = [name.strip() for name in tasks.split(",") if name.strip()]
    folders = [name for name in wanted if Path(name).is_dir()]
    of_folders = TaskManager(include_path=folders, include_defaults=False).all_subtasks if folders else []
    names = [*of_folders, *(name for name in wanted if name not in folders)]
    places = [*folders, *([str(folder)] if folder else [])]
    manager = TaskManager(include_path=places, include_defaults=False) if places else None
    if manager is None or not {*names} <= {*manager.all_tasks}:
        manager = TaskManager(include_path=places)
    for name in names:
        if name not in manager.all_tasks:
            raise NotFoundError("C48", name=name, **suggestion(name, manager.all_tasks))
    return manager, names


def _settle(task: Any, shots: int | None) -> None:
    """How many examples a task shows; one that shows none by its own file shows none."""
    own = task.get_config("num_fewshot")
    if shots is not None and own != 0:
        task.set_config(key="num_fewshot", value=shots)
    elif own is None:
        task.set_config(key="num_fewshot", value=0)
    task.set_fewshot_seed(seed=_SEED)


def _digest(found: Mapping[str, Any]) -> str:
    """The sha256 of all rows that were asked."""
    hashes = [row["doc_hash"] for rows in found["samples"].values() for row in rows]
    return hashlib.sha256(json.dumps(hashes).encode()).hexdigest()


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {"lm_eval": version("lm_eval")}
