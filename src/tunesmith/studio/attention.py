"""The route of attention: how much the tokens of a text look at each other, a layer at a time."""

from __future__ import annotations

import base64
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from fastapi import FastAPI
from pydantic import BaseModel, Field

from tunesmith.core.errors import ModelError, UsageError
from tunesmith.models import card, tokenizer
from tunesmith.models.resolve import Resolved, resolve
from tunesmith.serve.policies import Policy, Route
from tunesmith.serve.strict import ModelName, Strict
from tunesmith.studio.naming import known
from tunesmith.studio.roles import ANNOTATOR
from tunesmith.studio.state import Studio

if TYPE_CHECKING:
    from torch import Tensor

    from tunesmith.models.attention import Attention, EncoderDecoderAttention
    from tunesmith.models.loading import Model

POLICIES: dict[Route, Policy] = {("POST", "/api/attention"): ANNOTATOR}  # it loads a model
Kind: TypeAlias = Literal["self", "encoder", "decoder", "cross"]
MOST_TOKENS = 128
# Texts whose maps are kept: a page asks for one layer after the other.
_KEPT = 4
_WHOLE = 255


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


@dataclass(frozen=True, slots=True)
class _Maps:
    """Maps of one kind as bytes [layers, heads, query, key], and the tokens of both axes."""

    queries: tuple[str, ...]
    keys: tuple[str, ...]
    weights: Tensor


@dataclass(frozen=True, slots=True)
class _Looked:
    kinds: Mapping[Kind, _Maps]
    cut: bool


class Looker:
    """The last model that was looked into, and the maps of the last texts. One thread looks at a time."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._looking = threading.Lock()
        self._model: tuple[str, Model] | None = None
        self._kept: OrderedDict[tuple[str, str], _Looked] = OrderedDict()

    def look(self, name: str, text: str) -> tuple[str, _Looked]:
        """The full name of a model, and what it looks at in a text.

        Raises:
            NotFoundError: M01 when there is no such model.
            ModelError: W55 when its files are not here; M44 when it shows no attention.
        """
        found = known(self._studio, name)
        if found.folder is None:
            raise ModelError("W55", field="model", name=found.name)
        from tunesmith.models.attending import attention_of  # torch, which nothing else here needs

        key = (found.name, text)
        with self._looking:
            if key not in self._kept:
                looked, cut = attention_of(self._loaded(found.name), text, most=MOST_TOKENS)
                self._kept[key] = _Looked(_kinds(looked), cut)
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return found.name, self._kept[key]

    def _loaded(self, name: str) -> Model:
        if self._model is None or self._model[0] != name:
            self._model = None  # before the next one takes its memory
            self._model = (name, _load(resolve(name, self._studio.workspace)))
        return self._model[1]


def _load(resolved: Resolved) -> Model:
    """A model, also an encoder that was not trained for a task yet."""
    from tunesmith.models.embedder import TextEmbedder
    from tunesmith.models.loading import encoder_module, load

    own = card.read(resolved.folder) if resolved.folder else None
    if resolved.folder is None or own is None or own.kind != "encoder":
        return load(resolved)
    return TextEmbedder(
        name=resolved.name,
        module=encoder_module(resolved.folder).eval(),
        tokenizer=tokenizer.load(resolved.folder),
        context=own.context,
    )


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the route of attention into `app`."""
    looker = Looker(studio)

    @app.post("/api/attention")
    def attention(wishes: AttentionRequest) -> AttentionLayer:
        """One layer of what a model looks at in a text."""
        name, looked = looker.look(wishes.model, wishes.text)
        kind = next(iter(looked.kinds)) if wishes.kind is None else wishes.kind
        maps = looked.kinds.get(kind)
        layers = len(maps.weights) if maps else 0
        if maps is None or wishes.layer >= layers:
            kinds = ", ".join(looked.kinds)
            raise UsageError("W56", field="layer", name=name, kinds=kinds, layers=layers, layer=wishes.layer)
        layer = maps.weights[wishes.layer]
        return AttentionLayer(
            model=name,
            kinds=list(looked.kinds),
            kind=kind,
            layers=layers,
            layer=wishes.layer,
            heads=len(layer),
            queries=list(maps.queries),
            keys=list(maps.keys),
            weights=base64.b64encode(layer.contiguous().numpy().tobytes()).decode(),
            cut=looked.cut,
        )


def _kinds(found: Attention | EncoderDecoderAttention) -> dict[Kind, _Maps]:
    from tunesmith.models.attention import Attention

    if isinstance(found, Attention):
        return {"self": _Maps(found.tokens, found.tokens, _bytes(found.maps))}
    source, target, maps = found.source, found.target, found.maps
    return {
        "encoder": _Maps(source, source, _bytes(maps.encoder)),
        "decoder": _Maps(target, target, _bytes(maps.decoder)),
        "cross": _Maps(target, source, _bytes(maps.cross)),
    }


def _bytes(maps: Tensor) -> Tensor:
    return (maps.clamp(0, 1) * _WHOLE).round().byte().cpu()
