"""What a model looks at in a text, as bytes: the last model and the maps of the last texts are kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.core.errors import UsageError
from tunesmith.core.workspace import Workspace
from tunesmith.models import card, tokenizer
from tunesmith.models.resolve import Resolved, resolve
from tunesmith.studio.attention.names import MOST_TOKENS

if TYPE_CHECKING:
    from torch import Tensor

    from tunesmith.models.attention import Attention, EncoderDecoderAttention
    from tunesmith.models.loading import Model

# Texts whose maps are kept: a page asks for one layer after the other.
_KEPT = 4
_WHOLE = 255


@dataclass(frozen=True, slots=True)
class _Maps:
    """Maps of one kind as bytes [layers, heads, query, key], and the tokens of both axes."""

    queries: tuple[str, ...]
    keys: tuple[str, ...]
    weights: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Looked:
    kinds: Mapping[str, _Maps]
    cut: bool


class Looker:
    """Looks into one model at a time."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._model: tuple[str, Model] | None = None
        self._kept: OrderedDict[tuple[str, str], _Looked] = OrderedDict()

    def layer(
        self, name: str, text: str, kind: str | None, layer: int
    ) -> tuple[dict[str, Any], NDArray[np.uint8]]:
        """One layer, bytes [heads, queries, keys], and what is told of it; the first kind if none is named.

        Raises:
            ModelError: M44 when the model shows no attention.
            UsageError: W56 when it has no such layer.
        """
        looked = self._look(name, text)
        kind = kind or next(iter(looked.kinds))
        maps = looked.kinds.get(kind)
        layers = len(maps.weights) if maps else 0
        if maps is None or layer >= layers:
            kinds = ", ".join(looked.kinds)
            raise UsageError("W56", field="layer", name=name, kinds=kinds, layers=layers, layer=layer)
        told = {"kinds": [*looked.kinds], "kind": kind, "layers": layers, "cut": looked.cut}
        return {**told, "queries": maps.queries, "keys": maps.keys}, maps.weights[layer]

    def _look(self, name: str, text: str) -> _Looked:
        from tunesmith.models.attending import attention_of

        key = (name, text)
        if key not in self._kept:
            looked, cut = attention_of(self._loaded(name), text, most=MOST_TOKENS)
            self._kept[key] = _Looked(_kinds(looked), cut)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _loaded(self, name: str) -> Model:
        if self._model is None or self._model[0] != name:
            self._model = None  # before the next one takes its memory
            self._model = (name, _load(resolve(name, self._workspace)))
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


def _kinds(found: Attention | EncoderDecoderAttention) -> dict[str, _Maps]:
    from tunesmith.models.attention import Attention

    if isinstance(found, Attention):
        return {"self": _Maps(found.tokens, found.tokens, _bytes(found.maps))}
    source, target, maps = found.source, found.target, found.maps
    return {
        "encoder": _Maps(source, source, _bytes(maps.encoder)),
        "decoder": _Maps(target, target, _bytes(maps.decoder)),
        "cross": _Maps(target, source, _bytes(maps.cross)),
    }


def _bytes(maps: Tensor) -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = (maps.clamp(0, 1) * _WHOLE).round().byte().cpu().numpy()
    return found
