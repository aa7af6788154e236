"""The classifiers' route: texts in, for each the most probable label and all probabilities out."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI

from tunesmith.serve.deployments import Deployments
from tunesmith.serve.served import ClassifyDeployment
from tunesmith.serve.task_answers import Classification, Classifications
from tunesmith.serve.task_schemas import TextsRequest

_HALF = 0.5


def add_routes(app: FastAPI, deployments: Deployments) -> None:
    """Put the route over these models into `app`."""

    @app.post("/v1/classify")
    async def classify(wishes: TextsRequest) -> Classifications:
        """Labels of texts, with probabilities."""
        deployment = deployments.of(ClassifyDeployment, wishes.model)
        rows = await deployment.engine.predict(wishes.texts)
        data = [_classification(i, deployment, row) for i, row in enumerate(rows.tolist())]
        return Classifications(model=deployment.name, data=data)


def _classification(index: int, deployment: ClassifyDeployment, row: Sequence[float]) -> Classification:
    # Rounding may leave a probability a hair above one.
    probabilities = dict(zip(deployment.labels, (min(1.0, p) for p in row), strict=True))
    best = max(probabilities, key=lambda label: probabilities[label])
    return Classification(
        index=index,
        label=best,
        probability=probabilities[best],
        labels=[label for label, p in probabilities.items() if p >= _HALF] if deployment.several else None,
        probabilities=probabilities,
    )
