"""OpenAI's route of embeddings: texts or token ids in, a vector of length 1 for each out."""

from __future__ import annotations

import base64

import numpy as np
from fastapi import FastAPI
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool

from tunesmith.core.errors import UsageError
from tunesmith.models.encoding import encode, truncate
from tunesmith.models.token import check_ids
from tunesmith.serve.deployments import Deployments
from tunesmith.serve.served import EmbedDeployment
from tunesmith.serve.task_answers import Embedding, Embeddings, EmbeddingUsage
from tunesmith.serve.task_schemas import EmbeddingsRequest
from tunesmith.serve.usage import spend


def add_routes(app: FastAPI, deployments: Deployments) -> None:
    """Put the route over these models into `app`."""

    @app.post("/v1/embeddings")
    async def embed(wishes: EmbeddingsRequest) -> Embeddings:
        """Vectors of texts."""
        deployment = deployments.of(EmbedDeployment, wishes.model)
        rows = await run_in_threadpool(_encode, deployment, wishes.items)
        width = wishes.dimensions or deployment.width
        if width > deployment.width:
            raise UsageError("S35", field="dimensions", wanted=width, width=deployment.width)
        vectors = shortened(await deployment.engine.predict(rows), width)
        write = _base64 if wishes.encoding_format == "base64" else _numbers
        tokens = sum(map(len, rows))
        deployment.meter.prompt_tokens += tokens
        spend(prompt_tokens=tokens)
        return Embeddings(
            model=deployment.name,
            data=[Embedding(index=i, embedding=write(vector)) for i, vector in enumerate(vectors)],
            usage=EmbeddingUsage(prompt_tokens=tokens, total_tokens=tokens),
        )


def _encode(model: EmbedDeployment, items: list[str | list[int]]) -> list[list[int]]:
    texts = [item for item in items if isinstance(item, str)]
    if texts:
        return [truncate(encoded, model.context)[0] for encoded in encode(model.tokenizer, texts)]
    rows = [item[: model.context] for item in items if isinstance(item, list)]
    for row in rows:
        check_ids(row, context=None, vocabulary=model.tokenizer.get_vocab_size())
    return rows


def shortened(vectors: NDArray[np.floating], width: int) -> NDArray[np.floating]:
    """The first `width` numbers of vectors [n, d], brought to length 1 again."""
    if width == vectors.shape[1]:
        return vectors
    kept = vectors[:, :width]
    lengths = np.linalg.norm(kept, axis=1, keepdims=True)
    short: NDArray[np.floating] = kept / np.maximum(lengths, np.finfo(kept.dtype).tiny)
    return short


def _numbers(vector: NDArray[np.floating]) -> list[float]:
    numbers: list[float] = vector.tolist()
    return numbers


def _base64(vector: NDArray[np.floating]) -> str:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")
