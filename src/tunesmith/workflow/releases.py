"""Releases beyond publishing: taking a model in, checking its files, taking it out again."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.core import cache, durable, uses
from tunesmith.core.errors import ModelError, TunesmithError, UsageError
from tunesmith.core.store import Release, Store
from tunesmith.core.workspace import Workspace
from tunesmith.models import card, facts, hub, inspection, templates, tokenizer
from tunesmith.models.card import Card
from tunesmith.models.resolve import Resolved, resolve, weights_digest
from tunesmith.workflow import adopting, lineage, unpacking

if TYPE_CHECKING:
    from tunesmith.workflow.verifying import Agreement

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def add(source: str, workspace: Workspace, *, name: str | None = None, base: str | None = None) -> Release:
    """Copy a folder, a GGUF file or a hub's model into the workspace and register it, as `name` or its own.

    An adapter belongs to `base`, or to the model that it names itself; see `adopting.adopted`.

    Raises:
        NotFoundError: M01 when there is no such model.
        ModelError: M04 when the folder holds no model, M08 when its weights are not safetensors, M05 or M06
            when a file of it is damaged, M10 or M70 when its chat template cannot be used, M13 for `tfidf`,
            which has no files.
        UsageError: U05 when the name cannot be used, U12 when `base` is given for what is no adapter.
    """
    if unpacking.is_gguf(Path(source)):
        return _add_gguf(Path(source), workspace, name)
    resolved = resolve(source, workspace)
    if resolved.folder is None:
        raise ModelError("M13", name=source)
    label = checked_name(name) if name else _slug(resolved.name)
    is_adapter = adopting.is_adapter(resolved.folder)
    if base is not None and not is_adapter:
        raise UsageError("U12", name=source)
    inspection.no_links_out(resolved.folder)
    given = adopting.adopted(resolved.folder, workspace, base) if is_adapter else resolved.folder
    found = _checked(given)
    folder = given if is_adapter else _copied(given, workspace)
    return Store(workspace.database).publish(
        label,
        digest=durable.digest(folder),
        folder=folder,
        task=found.task or "",
        lineage=_origin(source, resolved),
    )


def _origin(source: str, resolved: Resolved) -> dict[str, Any]:
    """Where a release came from; of a hub's model also the commit."""
    folder = resolved.folder
    if folder is not None and folder.parent.name == "snapshots":
        return {"added": source, "revision": folder.name}
    return {"added": source if resolved.name != Path(source).name else str(folder)}


def _add_gguf(path: Path, workspace: Workspace, name: str | None) -> Release:
    label = checked_name(name) if name else _slug(path.stem)
    folder = unpacking.unpacked(path, workspace)
    _checked(folder)
    return Store(workspace.database).publish(
        label, digest=durable.digest(folder), folder=folder, task="", lineage=unpacking.lineage(path)
    )


def checked_name(name: str) -> str:
    """A name of a release or an alias.

    Raises:
        UsageError: U05 when it has other characters than such names may have.
    """
    if not _NAME.fullmatch(name):
        raise UsageError("U05", name=name)
    return name


def _slug(name: str) -> str:
    """`Qwen/Qwen2.5-0.5B` -> `qwen2-5-0-5b`."""
    last = name.rstrip("/").rpartition("/")[2].rpartition(":")[2].lower()
    return re.sub(r"[^a-z0-9_-]+", "-", last).strip("-_")[:64] or "model"


def _checked(folder: Path) -> Card:
    found = card.read(folder)
    if not any(folder.glob("*.safetensors")):
        raise ModelError("M08", file=folder, name=folder.name)
    facts.parameters(folder)
    if found.kind != "tfidf":
        tokenizer.load(folder)
    if prompt := facts.contract(folder, found):
        templates.check(prompt.template)
    return found


def _copied(source: Path, workspace: Workspace) -> Path:
    """A copy, not links: whoever owns the folder may change it."""
    paths = sorted({path for pattern in hub.PATTERNS for path in source.glob(pattern) if path.is_file()})
    files = {path.name: durable.sha256(path) for path in paths if path.name != durable.MANIFEST}
    folder = workspace.models / cache.key(files=files)[:24]
    if not durable.is_valid(folder):
        with durable.new_folder(folder) as temporary:
            for name in files:
                shutil.copyfile(source / name, temporary / name)
    return folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A model that is as it was written: its digest, how many files it has, and how its prompts compare.

    `lineage` says whether the recipe and the report that it came with are what they were.
    """

    digest: str
    files: int
    agreement: Agreement | None = None
    lineage: Mapping[str, lineage.State] = field(default_factory=dict[str, Any])


def verify(name: str, workspace: Workspace) -> Verified:
    """Hold the files of a model to what was written, and the paths of its prompts to each other.

    Raises:
        ModelError: C04 naming the first file that differs, C03 when the folder has no manifest, M07 when all
            of it was replaced or its base is another one, M22 when its base is gone.
        TunesmithError: M72 when prompts differ, after what is wrong with the files.
    """
    found = facts.find(name, workspace)
    if found.folder is None:
        raise ModelError("M13", name=name)
    if found.entry is not None and found.entry.sha256:
        return Verified(digest=found.entry.sha256, files=1)  # `facts.find` compared it already
    wrong = _wrong_files(found, found.folder)
    try:
        agreement = _agreement(found.folder)
    except ModelError as error:
        raise wrong or error from error
    if agreement and agreement.problem:
        raise TunesmithError.of([*(wrong.problems if wrong else ()), agreement.problem])
    if wrong:
        raise wrong
    files = len(durable.manifest_files(found.folder))
    return Verified(
        digest=durable.digest(found.folder),
        files=files,
        agreement=agreement,
        lineage=lineage.states(found.release.lineage, workspace) if found.release else {},
    )


def _wrong_files(found: facts.Found, folder: Path) -> TunesmithError | None:
    """What is wrong with the files of a model, if anything is."""
    try:
        digest = durable.verify(folder)
        if found.release is not None and digest != found.release.digest:
            raise ModelError("M07", file=folder, expected=found.release.digest, found=digest)
        _verify_base(folder)
    except TunesmithError as error:
        return error
    return None


def _agreement(folder: Path) -> Agreement | None:
    """How the paths of a language model's prompts compare; other models have none."""
    if card.read(folder).kind != "language":
        return None
    from tunesmith.workflow import verifying

    return verifying.contract(folder)


def _verify_base(folder: Path) -> None:
    base = card.read(folder).base
    if base is None or not (folder / "adapter_config.json").exists():
        return
    if not Path(base.folder).is_dir():
        raise ModelError("M22", file=folder, base=base.name)
    if (digest := weights_digest(Path(base.folder))) != base.weights:
        raise ModelError("M07", file=base.folder, expected=base.weights, found=digest)


def remove(label: str, workspace: Workspace) -> Release:
    """Take a release out of the workspace, with its files unless another release has the same.

    Raises:
        NotFoundError: C07 when there is no such release.
        TunesmithError: C13 when an alias points to it, C14 when an adapter needs it, R38 when a server of
            this machine uses it.
    """
    store = Store(workspace.database)
    release = store.release(label)
    if process := uses.used(workspace).get(Path(release.folder)):
        raise TunesmithError("R38", name=release.label, process=process)
    others = [other for other in store.releases() if other.label != release.label]
    for other in others:
        if _base_folder(other) == release.folder:
            raise TunesmithError("C14", name=release.label, other=other.label)
    store.remove(release)
    folder = Path(release.folder)
    if folder.is_relative_to(workspace.models) and all(o.folder != release.folder for o in others):
        shutil.rmtree(folder, ignore_errors=True)
    return release


def _base_folder(release: Release) -> str | None:
    folder = Path(release.folder)
    if not (folder / "adapter_config.json").exists():
        return None
    base = card.read(folder).base
    return base.folder if base else None
