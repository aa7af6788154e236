"""What was found out about a model when its weights were packed, so that its next start needs no others.

Loading a model takes longer than everything else before it serves, and what is computed with is mapped from a
file anyway. The note lies beside that file, for this version of the program only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tunesmith
from tunesmith.core import durable
from tunesmith.serve.names import Computing, KvCache, Weights
from tunesmith.serve.native import packed, store
from tunesmith.serve.native.plan import Matrix, Plan
from tunesmith.serve.native.rotary import Rotary


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A model that is covered: its maps, how its positions turn, and in which numbers it is computed.

    `sizes` are those of the maps that adapters may change, see `low_rank.sizes`.
    """

    weights: Weights
    kv_cache: KvCache
    plan: Plan
    rotary: Rotary
    sizes: Mapping[str, tuple[int, int]]


def keep(digest: str, wished: Computing, found: Known) -> None:
    """Note what the model with these weights is, when those numbers are wished for."""
    durable.write_json(_path(digest, wished), asdict(found))


def find(digest: str, wished: Computing) -> Known | None:
    """What was noted, if it was."""
    try:
        said = json.loads(_path(digest, wished).read_bytes())
        return Known(
            weights=said["weights"],
            kv_cache=said["kv_cache"],
            plan=_plan(said["plan"]),
            rotary=Rotary(**_tuples(said["rotary"])),
            sizes=_tuples(said["sizes"]),
        )
    except (OSError, ValueError, KeyError, TypeError):  # not there, or damaged: it is noted again
        return None


def _path(digest: str, wished: Computing) -> Path:
    key = f"{tunesmith.__version__} {packed.VERSION} {digest} {wished.weights} {wished.kv_cache}"
    return store.packed() / f"{hashlib.sha256(key.encode()).hexdigest()}.json"


def _plan(said: dict[str, Any]) -> Plan:
    matrices = tuple(Matrix(**_tuples(matrix)) for matrix in said["matrices"])
    return Plan(**{**_tuples(said), "matrices": matrices})


def _tuples(said: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in said.items()}
