"""What packing did to a model: how far its tokens, logits and perplexity are from the model in float32.

It is made once, when a model is packed, on texts that the model itself writes, and lies beside the weights.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tunesmith.core import durable
from tunesmith.core.errors import UsageError
from tunesmith.serve.names import KvCache, Weights
from tunesmith.serve.native import store

TEXTS, LENGTH = 2, 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Figures over `tokens` tokens. `largest` is the largest difference of the log probability of one."""

    weights: Weights
    kv_cache: KvCache
    tokens: int
    agreement: float  # of the most probable tokens
    largest: float
    perplexity: float
    perplexity_float32: float


def compare(weights: Weights, kv_cache: KvCache, ours: Sequence[Any], theirs: Sequence[Any]) -> Certificate:
    """From the likelihoods of the same tokens, each with the most probable one of its place."""
    pairs = list(zip(ours, theirs, strict=True))
    return Certificate(
        weights=weights,
        kv_cache=kv_cache,
        tokens=len(pairs),
        agreement=sum(a.top[0][0] == b.top[0][0] for a, b in pairs) / len(pairs),
        largest=max(abs(a.logprob - b.logprob) for a, b in pairs),
        perplexity=_perplexity(ours),
        perplexity_float32=_perplexity(theirs),
    )


def write(digest: str, found: Certificate) -> None:
    """Keep a certificate of the model with these weights."""
    durable.write_json(_path(digest, found.weights, found.kv_cache), asdict(found))


def exists(digest: str, weights: Weights, kv_cache: KvCache) -> bool:
    """Whether there is one."""
    return _path(digest, weights, kv_cache).is_file()


def some() -> bool:
    """Whether there is one of any model."""
    try:
        return any(store.packed().glob("*-*-*.json"))
    except UsageError:  # a place that is not used holds none
        return False


def known(digest: str) -> list[dict[str, Any]]:
    """All certificates of the model with these weights."""
    return [json.loads(path.read_bytes()) for path in sorted(store.packed().glob(f"{digest}-*-*.json"))]


def _path(digest: str, weights: Weights, kv_cache: KvCache) -> Path:
    return store.packed() / f"{digest}-{weights}-{kv_cache}.json"


def _perplexity(likelihoods: Sequence[Any]) -> float:
    return math.exp(-sum(one.logprob for one in likelihoods) / len(likelihoods))
