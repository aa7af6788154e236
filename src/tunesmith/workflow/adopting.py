"""Adapters taken in and looked at: a folder of the peft library becomes a release that knows its base.

Base and adapter are held together by the sha256 of the base's weights; where an adapter does not state it, by
the shapes of its matrices, the ids of its tokenizer, and by being loaded once.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tunesmith.core import cache, durable
from tunesmith.core.errors import ModelError, NotFoundError
from tunesmith.core.store import Release, Store
from tunesmith.core.workspace import Workspace
from tunesmith.models import card, facts, inspection
from tunesmith.models.card import Base, Card
from tunesmith.models.contract import FILE as CONTRACT
from tunesmith.models.json_file import read_json
from tunesmith.models.resolve import Resolved, resolve, weights_digest

CONFIG = "adapter_config.json"
_WEIGHTS = "adapter_model.safetensors"
_TOKENIZER = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja", CONTRACT,
    "generation_config.json",
)  # fmt: skip


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter."""
    return (folder / CONFIG).exists()


def adopted(folder: Path, workspace: Workspace, base: str | None) -> Path:
    """A folder of the workspace with the adapter of `folder` and what it takes from its base.

    Raises:
        NotFoundError: M62 when its base is not here.
        ModelError: M59 when it was trained on other weights than those of `base`; M54 or M21 when it does not
            fit them, M53 when its tokenizer has ids that the base has not; M08 without safetensors.
    """
    if not (folder / _WEIGHTS).is_file():
        raise ModelError("M08", file=folder, name=folder.name)
    found = _base(folder, workspace, base)
    own = _card(folder, found)
    inspection.fits_base(folder, Path(found.folder))
    key = cache.key(
        adapter={name: durable.sha256(folder / name) for name in (CONFIG, _WEIGHTS)},
        tokenizer={n: durable.sha256(p) for n, p in _tokenizer(folder, Path(found.folder))},
        base=found.weights,
        where=found.folder,
    )
    target = workspace.models / key[:24]
    if not durable.is_valid(target):
        with durable.new_folder(target) as made:
            _write(folder, Path(found.folder), made, own)
            _try(made, own)
    return target


def _base(folder: Path, workspace: Workspace, given: str | None) -> Base:
    """The base that was given, or that the adapter states."""
    known = card.read(folder).base if (folder / card.FILE).exists() else None
    stated = read_json(folder / CONFIG).get("base_model_name_or_path")
    if given is None and known is not None and Path(known.folder).is_dir():
        return _same(folder, known, Path(known.folder), known.name)
    name = given or str(stated or "")
    try:
        resolved = resolve(name, workspace, base=folder)
    except NotFoundError as error:
        raise NotFoundError("M62", file=folder, base=name or "?") from error
    if resolved.folder is None:
        raise ModelError("M13", name=name)
    return _same(folder, known, resolved.folder, resolved.name)


def _same(folder: Path, known: Base | None, base: Path, name: str) -> Base:
    digest = weights_digest(base)
    if known is not None and known.weights != digest:
        raise ModelError(
            "M59", file=folder, base=known.name, expected=known.weights, given=name, found=digest
        )
    return Base(name=name, folder=str(base), weights=digest)


def _card(folder: Path, base: Base) -> Card:
    """The adapter's own card with the base put right, or one of the base's kind."""
    if (folder / card.FILE).exists():
        return replace(card.read(folder), base=base)
    of_base = card.read(Path(base.folder))
    return replace(of_base, base=base, lineage={})


def _tokenizer(folder: Path, base: Path) -> Iterator[tuple[str, Path]]:
    """The files of the tokenizer and the prompts: all of the adapter's, or all of the base's."""
    source = folder if (folder / "tokenizer.json").exists() else base
    yield from ((name, source / name) for name in _TOKENIZER if (source / name).exists())


def _write(folder: Path, base: Path, made: Path, own: Card) -> None:
    kept = [(name, folder / name) for name in (CONFIG, _WEIGHTS, "head.safetensors", "README.md")]
    for name, path in [*kept, *_tokenizer(folder, base), ("config.json", base / "config.json")]:
        if path.exists():
            shutil.copyfile(path, made / name)
    own.save(made)


def _try(made: Path, own: Card) -> None:
    """Load it once: what does not fit is told now, and not when somebody is waiting for an answer."""
    from tunesmith.models import loading

    inspection.known_ids(made, Path(str(own.base and own.base.folder)))
    if own.kind == "encoder":
        loading.encoder_module(made)
    else:
        loading.load(Resolved(name=made.name, folder=made))


def of_base(name: str, workspace: Workspace) -> list[dict[str, Any]]:
    """The releases that are adapters of a model: method, rank, size in numbers and bytes, and their scores.

    Raises:
        NotFoundError: M01 when there is no such model.
    """
    folder = facts.find(name, workspace).folder
    if folder is None or not workspace.database.exists():
        return []
    digest = weights_digest(folder)
    found = Store(workspace.database).releases()
    return [_row(release) for release in found if _belongs(Path(release.folder), digest)]


def _belongs(folder: Path, digest: str) -> bool:
    base = card.read(folder).base if is_adapter(folder) else None
    return base is not None and base.weights == digest


def _row(release: Release) -> dict[str, Any]:
    folder = Path(release.folder)
    said = read_json(folder / CONFIG)
    return {
        "name": release.label,
        "method": _method(said),
        "rank": said.get("r") or said.get("num_virtual_tokens"),
        "parameters": facts.own_parameters(folder),
        "bytes": sum(path.stat().st_size for path in folder.glob("*.safetensors")),
        "task": release.task,
        "scores": dict(release.lineage.get("scores") or {}),
        "aliases": list(release.aliases),
    }


def _method(said: dict[str, Any]) -> str:
    kind = str(said.get("peft_type", "?")).lower()
    return "dora" if said.get("use_dora") else "rslora" if said.get("use_rslora") else kind
