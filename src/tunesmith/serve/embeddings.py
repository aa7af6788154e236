"""OpenAI's route of embeddings: texts in, a vector of length 1 for each out."""

from __future__ import annotations

import base64

import numpy as np
from fastapi import FastAPI
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool

from tunesmith.serve.answers import Embedding, Embeddings, EmbeddingUsage
from tunesmith.serve.deployment import Deployments
from tunesmith.serve.schemas import EmbeddingsRequest


def add_routes(app: FastAPI, deployments: Deployments) -> None:
    """Put the route over these models into `app`."""

    @app.post("/v1/embeddings")
    async def embed(wishes: EmbeddingsRequest) -> Embeddings:
        """Vectors of texts."""
        deployment = deployments.embed(wishes.model)
        vectors = await deployment.engine.predict(wishes.texts)
        tokens = await run_in_threadpool(deployment.tokens, wishes.texts)
        write = _base64 if wishes.encoding_format == "base64" else _numbers
        return Embeddings(
            model=deployment.name,
            data=[Embedding(index=i, embedding=write(vector)) for i, vector in enumerate(vectors)],
            usage=EmbeddingUsage(prompt_tokens=tokens, total_tokens=tokens),
        )


def _numbers(vector: NDArray[np.floating]) -> list[float]:
    numbers: list[float] = vector.tolist()
    return numbers


def _base64(vector: NDArray[np.floating]) -> str:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")
