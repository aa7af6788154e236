"""A recipe in workers of Ray Train, which starts them and lets them meet, as torchrun does with processes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tunesmith.core.errors import GateError, MissingError, TunesmithError
from tunesmith.core.workspace import Workspace
from tunesmith.workflow import plan as planning
from tunesmith.workflow import run as running


def run(recipe: Path, workspace: Workspace, overrides: Sequence[str] = (), *, workers: int) -> dict[str, Any]:
    """Carry out the recipe of a file in workers of the cluster that `RAY_ADDRESS` names, or of this machine.

    Where torch sees a graphics processor, each worker has one. All must see recipe and workspace.

    Raises:
        RecipeError, DataError, NotFoundError: all mistakes found before training.
        MissingError: M03 when Ray is not installed.
        TunesmithError: T38 when the workers did not come to an end.
        GateError: E10 when the model did not pass its gate.
    """
    plan = planning.make(recipe, workspace, overrides)
    if not running.is_complete(plan):
        given = {"recipe": recipe.absolute(), "workspace": workspace, "overrides": list(overrides)}
        _fit(given, workers, workspace.cache / "ray")
    return running.finished(plan)


def _fit(given: dict[str, Any], workers: int, folder: Path) -> None:
    import torch

    from tunesmith.train.parallel.joining import PATIENCE, backend

    try:
        from ray.train import RunConfig, ScalingConfig
        from ray.train.torch import TorchConfig, TorchTrainer
    except ImportError as error:
        raise MissingError("M03", name="Ray Train", package="ray", extra="ray") from error
    trainer = TorchTrainer(
        _work,
        train_loop_config=given,
        torch_config=TorchConfig(backend=backend(), timeout_s=int(PATIENCE.total_seconds())),
        scaling_config=ScalingConfig(num_workers=workers, use_gpu=torch.cuda.is_available()),
        run_config=RunConfig(storage_path=str(folder)),
    )
    try:
        trainer.fit()
    # Ray says in classes of its own, which change with its versions, what went wrong in a worker.
    except Exception as error:
        raise TunesmithError("T38", reason=str(error).strip().rpartition("\n")[2]) from error


def _work(given: dict[str, Any]) -> None:
    """What each worker does."""
    from tunesmith.workflow import api

    # A gate that is shut is no failure of a worker; who started them says it.
    with suppress(GateError):
        api.run(**given)
