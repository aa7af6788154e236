"""MLflow: a run of the experiment `tunesmith`, at MLFLOW_TRACKING_URI or in ./mlruns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import mlflow


class Log:
    """A run, nested in none."""

    def __init__(self, name: str, folder: Path) -> None:
        experiment = mlflow.set_experiment("tunesmith")
        self._client = mlflow.MlflowClient()
        self._run = self._client.create_run(experiment.experiment_id, run_name=name).info.run_id

    def numbers(self, values: Mapping[str, float], step: int) -> None:
        """Keep each as a metric."""
        for name, value in values.items():
            self._client.log_metric(self._run, name, value, step=step)

    def close(self) -> None:
        """Mark the run as over."""
        self._client.set_terminated(self._run)
