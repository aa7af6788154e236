"""Texts to the tokens that a model reads, and back."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from tokenizers import Tokenizer

from tunesmith.core.errors import UsageError
from tunesmith.models.token import check_ids
from tunesmith.models.token_bytes import TokenBytes
from tunesmith.serve.deployments import Deployments
from tunesmith.serve.served import ROUTES, Deployment, TextDeployment
from tunesmith.serve.task_answers import Tokenizations, Tokenized, Writings, Written
from tunesmith.serve.task_schemas import DetokenizeRequest, TokenizeRequest


def add_routes(app: FastAPI, deployments: Deployments) -> None:
    """Put the routes over these models into `app`."""

    @app.post("/v1/tokenize")
    async def tokenize(wishes: TokenizeRequest) -> Tokenizations:
        """Token ids of texts, or of a conversation."""
        deployment = deployments.find(wishes.model)
        tokenizer = _tokenizer(deployment)
        rows = await run_in_threadpool(_rows, deployment, tokenizer, wishes)
        data = await run_in_threadpool(_told, tokenizer, rows)
        return Tokenizations(model=deployment.name, data=data)

    @app.post("/v1/detokenize")
    async def detokenize(wishes: DetokenizeRequest) -> Writings:
        """Texts of token ids."""
        deployment = deployments.find(wishes.model)
        texts = await run_in_threadpool(_texts, _tokenizer(deployment), wishes)
        data = [Written(index=i, text=text) for i, text in enumerate(texts)]
        return Writings(model=deployment.name, data=data)


def _tokenizer(deployment: Deployment) -> Tokenizer:
    if deployment.tokenizer is None:
        raise UsageError("S36", field="model", name=deployment.name)
    return deployment.tokenizer


def _rows(deployment: Deployment, tokenizer: Tokenizer, wishes: TokenizeRequest) -> list[list[int]]:
    if wishes.messages:
        if not isinstance(deployment, TextDeployment):
            raise UsageError("S08", field="model", name=wishes.model, other=ROUTES[deployment.task])
        messages = [message.plain() for message in wishes.messages]
        return [deployment.contract.encode(tokenizer, messages)]
    texts = [wishes.input] if isinstance(wishes.input, str) else wishes.input or []
    encoded = tokenizer.encode_batch(texts, add_special_tokens=wishes.add_special_tokens)
    return [list(one.ids) for one in encoded]


def _told(tokenizer: Tokenizer, rows: list[list[int]]) -> list[Tokenized]:
    words = TokenBytes(tokenizer)
    return [
        Tokenized(index=i, ids=row, texts=[words.text(token) for token in row]) for i, row in enumerate(rows)
    ]


def _texts(tokenizer: Tokenizer, wishes: DetokenizeRequest) -> list[str]:
    for row in wishes.rows:
        check_ids(row, context=None, vocabulary=tokenizer.get_vocab_size())
    return tokenizer.decode_batch(wishes.rows, skip_special_tokens=wishes.skip_special_tokens)
