"""The route of attention: how much the tokens of a text look at each other, a layer at a time."""

from __future__ import annotations

import base64
from typing import Annotated, Literal, TypeAlias

from fastapi import FastAPI
from pydantic import BaseModel, Field

from tunesmith.core.errors import ModelError
from tunesmith.serve.policies import Policy, Route
from tunesmith.serve.strict import ModelName, Strict
from tunesmith.studio.attention.names import MOST_TOKENS
from tunesmith.studio.naming import known
from tunesmith.studio.roles import ANNOTATOR
from tunesmith.studio.state import Studio

POLICIES: dict[Route, Policy] = {("POST", "/api/attention"): ANNOTATOR}  # it loads a model
Kind: TypeAlias = Literal["self", "encoder", "decoder", "cross"]


class AttentionRequest(Strict):
    """One layer of a model's attention in a text; `kind` is the first there is unless it is told."""

    model: ModelName
    text: Annotated[str, Field(min_length=1, max_length=20_000)]
    kind: Kind | None = None
    layer: Annotated[int, Field(ge=0, lt=1000)] = 0


class AttentionLayer(BaseModel):
    """Maps of the heads of one layer.

    `weights` is base64 of bytes [heads, queries, keys]: 255 is all of a token's attention. With `cut` the
    text was longer than the `most` tokens that are shown.
    """

    model: str
    kinds: list[Kind]
    kind: Kind
    layers: int
    layer: int
    heads: int
    queries: list[str]
    keys: list[str]
    weights: Annotated[str, Field(max_length=2**25)]
    cut: bool
    most: int = MOST_TOKENS


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the route of attention into `app`."""

    @app.post("/api/attention")
    def attention(wishes: AttentionRequest) -> AttentionLayer:
        """One layer of what a model looks at in a text."""
        found = known(studio, wishes.model)
        if found.folder is None:
            raise ModelError("W55", field="model", name=found.name)
        said = studio.glass.look(found.name, wishes.text, wishes.kind, wishes.layer)
        numbers = said["numbers"]  # [heads, queries, keys]
        shown = {name: said[name] for name in ("kinds", "kind", "layers", "queries", "keys", "cut")}
        return AttentionLayer(
            model=found.name,
            layer=wishes.layer,
            heads=len(numbers),
            weights=base64.b64encode(numbers.tobytes()).decode(),
            **shown,
        )
