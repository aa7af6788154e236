"""Routes of models: which there are and which fit, all about one, and how it cuts a text."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import FastAPI, Query
from pydantic import Field

from tunesmith.core.errors import ModelError
from tunesmith.models import description, listing, selection
from tunesmith.models.facts import Found
from tunesmith.models.selection import Wanted
from tunesmith.models.token_bytes import TokenBytes
from tunesmith.models.tokenizer import load as load_tokenizer
from tunesmith.serve.policies import Policy, Route
from tunesmith.serve.strict import ModelName, Strict
from tunesmith.studio.model_answers import MAX_CARD, ModelPage, Models, Token, Tokens
from tunesmith.studio.naming import known
from tunesmith.studio.roles import VIEWER
from tunesmith.studio.state import Studio
from tunesmith.workflow import lineage

POLICIES: dict[Route, Policy] = {
    ("GET", "/api/models"): VIEWER,
    ("GET", "/api/models/{name:path}"): VIEWER,
    ("POST", "/api/tokens"): VIEWER,
}
Filter = Annotated[str | None, Query(max_length=64)]


class TokensRequest(Strict):
    """A text to be cut as a model cuts it."""

    model: ModelName
    text: Annotated[str, Field(max_length=20_000)]


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the routes of models into `app`."""

    @app.get("/api/models")
    def models(
        task: Filter = None,
        family: Filter = None,
        language: Filter = None,
        licence: Filter = None,
        size: Filter = None,
    ) -> Models:
        """The models that are as wanted; `size` as in `<1B` or `100M-2B`."""
        wanted = Wanted(
            task=task or None,
            family=family or None,
            language=language or None,
            licence=licence or None,
            size=selection.size(size) if size else None,
        )
        return Models.model_validate(listing.everything(studio.workspace, wanted))

    @app.get("/api/models/{name:path}")
    def model(name: str) -> ModelPage:
        """All about one model."""
        return _page(studio, known(studio, name))

    @app.post("/api/tokens")
    def tokens(wishes: TokensRequest) -> Tokens:
        """Where a model cuts a text into tokens."""
        return _tokens(known(studio, wishes.model), wishes.text)


def _page(studio: Studio, found: Found) -> ModelPage:
    said: dict[str, Any] = description.describe(found) | {"card": _card(found)}
    if found.release is not None:
        moves = studio.store.history(found.release.name)
        said["moves"] = [asdict(move) for move in moves]
        said["states"] = lineage.states(found.release.lineage, studio.workspace)
        said["tags"] = studio.store.tags("release").get(found.release.label, ())
    return ModelPage.model_validate(said)


def _card(found: Found) -> str | None:
    """The beginning of what the model's README says."""
    path = found.folder / "README.md" if found.folder else None
    if path is None or not path.is_file():
        return None
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(MAX_CARD)


def _tokens(found: Found, text: str) -> Tokens:
    if found.folder is None or not (found.folder / "tokenizer.json").is_file():
        raise ModelError("W55", field="model", name=found.name)
    tokenizer = load_tokenizer(found.folder)
    encoded, words = tokenizer.encode(text), TokenBytes(tokenizer)
    rows = zip(encoded.ids, encoded.offsets, encoded.special_tokens_mask, strict=True)
    cut = [
        Token(id=i, text=words.text(i), start=start, end=end, special=bool(special))
        for i, (start, end), special in rows
    ]
    return Tokens(model=found.name, tokens=cut, characters=len(text))
