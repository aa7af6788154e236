"""From a loaded model to a decoder: packed weights in a file that is made once, sizes, threads."""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn

from tunesmith.core import durable, memory
from tunesmith.core.errors import ModelError
from tunesmith.models import low_rank
from tunesmith.models.decoder import Decoder, run
from tunesmith.models.sampling import Sampling
from tunesmith.models.token import Likelihood
from tunesmith.serve.admission import Limits
from tunesmith.serve.names import Computing, KvCache, Weights
from tunesmith.serve.native import certificate, isa, known, packed, plan, sources, store, threads
from tunesmith.serve.native.bank import NativeBank
from tunesmith.serve.native.certificate import Certificate
from tunesmith.serve.native.decoder import NativeDecoder
from tunesmith.serve.native.formats import Format, kv_cache_beside, token_bytes
from tunesmith.serve.native.formats import memory as memory_format
from tunesmith.serve.native.known import Known
from tunesmith.serve.native.model import NativeModel, formats
from tunesmith.serve.native.plan import Plan
from tunesmith.serve.native.rotary import rotary
from tunesmith.serve.native.slots import PAGE
from tunesmith.serve.native.table import Room

if TYPE_CHECKING:
    from transformers import PreTrainedModel

logger = logging.getLogger(__name__)

_REMEMBERED = 256 * 2**20  # bytes, for beginnings of prompts
_OPERATIONS = 4e10  # of a step that reads prompts: about a third of a second on two cores
_SMALLEST, _LARGEST = 32, 512  # rows of such a step
_UNKNOWN = 8 * 2**30  # bytes, of a machine that does not say
_HELD = 2**24  # logits that are held at once
_SHARE = 10  # one of so many parts of a disk is for packed weights


def own_precision(module: nn.Module) -> Weights:
    """bfloat16 where that holds every weight as it is, else float32."""
    exact = all(
        not (parameter.detach().float().view(torch.int32) & 0xFFFF).any() for parameter in module.parameters()
    )
    return "bfloat16" if exact else "float32"


def decoder(
    module: nn.Module,
    digest: str,
    weights: Weights,
    limits: Limits,
    count: int | None = None,
    *,
    kv_cache: KvCache | None = None,
) -> NativeDecoder:
    """A decoder over a model that is covered, on `count` threads, or on as many as there are cores."""
    found = _described(module, weights, kv_cache)
    arrays = _arrays(module, digest, found.plan, formats(found.plan, weights, isa.here()))
    made = _over(arrays, found, limits, count)
    if not certificate.exists(digest, weights, found.kv_cache):
        certificate.write(digest, _certified(module, made, found))
    return made


def kept(digest: str, wished: Computing, limits: Limits) -> tuple[NativeDecoder, Weights] | None:
    """A decoder over what `keep` noted, without the model; None where the model has to be loaded."""
    found = known.find(digest, wished)
    if found is None or not certificate.exists(digest, found.weights, found.kv_cache):
        return None
    kinds = formats(found.plan, found.weights, isa.here())
    try:
        arrays = _read(_path(digest, found.plan, kinds), packed.layout(found.plan, kinds))
    except (OSError, ModelError):
        return None
    return _over(arrays, found, limits), found.weights


def keep(module: nn.Module, digest: str, wished: Computing, weights: Weights) -> None:
    """Note what `kept` needs of a model whose decoder was made."""
    known.keep(digest, wished, _described(module, weights, wished.kv_cache))


def _described(module: nn.Module, weights: Weights, wished: KvCache | None) -> Known:
    config = cast("PreTrainedModel", module).config
    shape = plan.plan(config)
    return Known(
        weights=weights,
        kv_cache=kv_cache_beside(weights, shape.head, wished),
        plan=shape,
        rotary=rotary(shape, config),
        sizes=low_rank.sizes(module),
    )


def _over(arrays: dict[str, Any], found: Known, limits: Limits, count: int | None = None) -> NativeDecoder:
    here = isa.here()
    kinds = formats(found.plan, found.weights, here)
    remembered = memory_format(found.kv_cache)
    room, kept = _room(found.plan, limits, remembered, count or threads.count())
    model = NativeModel(found.plan, found.rotary, arrays, kinds, remembered, here, room)
    bank = NativeBank(found.sizes, found.plan)
    return NativeDecoder(model, max_batch=limits.batch, chunk=room.rows, kept=kept, bank=bank)


def _certified(module: nn.Module, ours: NativeDecoder, made: Known) -> Certificate:
    """Hold what was packed to the model itself, on texts that it writes."""
    theirs = Decoder(module, max_batch=1)
    found: tuple[list[Likelihood], list[Likelihood]] = ([], [])
    for seed in range(certificate.TEXTS):
        wish = Sampling(max_new_tokens=certificate.LENGTH, temperature=1.0, seed=seed)
        begin = [1 + seed % (ours.vocabulary - 1)]
        ids = begin + [token.id for token in run(theirs, begin, wish)]
        for kept, one in zip(found, (ours, theirs), strict=True):
            kept += one.likelihoods(ids, 1)
    return certificate.compare(made.weights, made.kv_cache, *found)


def _arrays(module: nn.Module, digest: str, shape: Plan, kinds: Mapping[str, Format]) -> dict[str, Any]:
    """Packed weights, mapped into memory; packed before if they are not there, or are damaged."""
    expected = packed.layout(shape, kinds)
    path = _path(digest, shape, kinds)
    if path.is_file():
        try:
            return _read(path, expected)
        except (OSError, ModelError):
            logger.warning("%s is damaged or gone and made again", path)
    logger.info("packing weights into %s", path)
    durable.sweep(path.parent)  # what was begun by processes that were killed is as large as a model
    packed.write(path, shape, kinds, sources.Loaded(module))
    return _read(path, expected)


def _read(path: Path, expected: packed.Layout) -> dict[str, Any]:
    found = packed.read(path, expected)
    store.used(path, shutil.disk_usage(path.parent).total // _SHARE)
    return found


def _path(digest: str, shape: Plan, kinds: Mapping[str, Format]) -> Path:
    key = f"{packed.VERSION} {digest} {shape} {kinds}"
    return store.packed() / f"{hashlib.sha256(key.encode()).hexdigest()}.safetensors"


def _room(shape: Plan, limits: Limits, kept_in: Format, count: int) -> tuple[Room, int]:
    """How much there is of everything, and how many pages are kept for prompts that begin alike.

    Pages that were never used take no memory.
    """
    page = PAGE * shape.layers * shape.kv_heads * token_bytes(kept_in, shape.head)
    kept = max(1, _REMEMBERED // page)
    wanted = limits.running_size // PAGE + limits.batch + kept
    longest = -(-shape.context // PAGE) + 1
    pages = max(longest, min(wanted, (memory.machine_memory_bytes() or _UNKNOWN) // 2 // page))
    weights = sum(matrix.outputs * matrix.inputs for matrix in shape.matrices)
    rows = min(_LARGEST, max(_SMALLEST, 1 << int(_OPERATIONS / (2 * weights)).bit_length() >> 1))
    rows = max(rows, limits.batch)
    asked = min(rows, max(limits.batch, _HELD // shape.vocabulary))
    return Room(rows=rows, asked=asked, context=shape.context, pages=pages, threads=count), kept
