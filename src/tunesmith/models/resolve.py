"""From a name to a folder: a path, a release, a catalogue name or a hub id. Imports no tensors.

Only safetensors are ever taken, remote code never.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.core import durable
from tunesmith.core.errors import MissingError, ModelError, NotFoundError
from tunesmith.core.registry import suggestion
from tunesmith.core.workspace import Workspace
from tunesmith.models import catalogue, hub, inspection, modelscope
from tunesmith.models.catalogue import Entry
from tunesmith.models.endpoint import PREFIX, find

if TYPE_CHECKING:
    from tunesmith.core.store import Release
    from tunesmith.models.hosted import HostedModel

_HUB = "hf:"
# What decides beside the weights about what a model says.
_DECISIVE = (
    "adapter_config.json", "chat_template.jinja", "config.json", "contract.json", "generation_config.json",
    "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A model that is on this machine: the name it was asked by, and its folder (None for `tfidf`).

    A hosted one has no folder, but `hosted`.
    """

    name: str
    folder: Path | None
    hosted: HostedModel | None = None


def resolve(name: str, workspace: Workspace, *, base: Path | None = None) -> Resolved:
    """Find a model, fetching it when it is a hub's.

    Args:
        name: a folder (relative to `base`, then to here), `release[@alias|@version]`, catalogue name, hub id
            (or `hf:` and one), `modelscope:` and one of that hub, or `hosted:NAME`.
        workspace: whose releases are known.
        base: the folder of the recipe that names the model.

    Raises:
        NotFoundError: M01 when nothing has that name.
        MissingError: M02 when the hub cannot be reached or is switched off; M03 when a package is missing.
        ModelError: M07 when a file is not what its hub stated; M50 to M55 when it is unsafe or lies about
            itself, see `inspection.inspect`.
    """
    if name.startswith(PREFIX):
        from tunesmith.models.hosted import HostedModel

        return Resolved(
            name=name, folder=None, hosted=HostedModel(endpoint=find(name, workspace), workspace=workspace)
        )
    if name.startswith(modelscope.PREFIX):
        folder = modelscope.fetched(name.removeprefix(modelscope.PREFIX))
        inspection.inspect(folder)
        return Resolved(name=name, folder=folder)
    if name.startswith(_HUB):
        return Resolved(name=name, folder=hub.fetched(name.removeprefix(_HUB)))
    for root in (base, Path.cwd()):
        if root is not None and _is_model(root / name, name):
            inspection.inspect(root / name)
            return Resolved(name=Path(name).name, folder=(root / name).resolve())
    for release in _releases(workspace, name):
        return Resolved(name=release.name, folder=_verified(release))
    if entry := catalogue.entries().get(name):
        return Resolved(name=name, folder=_from_catalogue(entry))
    if _looks_like_hub_id(name):
        return Resolved(name=name, folder=hub.fetched(name))
    raise NotFoundError("M01", name=name, **suggestion(name, _known(workspace)))


def _is_model(folder: Path, name: str) -> bool:
    """A folder that holds a model; one that was named by a path is taken at its word."""
    named = Path(name).is_absolute() or name.startswith((".", "~"))
    return folder.is_dir() and (
        named or any((folder / f).exists() for f in ("config.json", "tunesmith.json", "adapter_config.json"))
    )


def _known(workspace: Workspace) -> list[str]:
    return [*sorted(catalogue.entries()), *(release.label for release in _releases(workspace))]


def _verified(release: Release) -> Path:
    """The folder of a release, every byte as it was published.

    Raises:
        ModelError: C03, C04 or M07 when it is not.
    """
    folder = Path(release.folder)
    if (found := durable.verify(folder)) != release.digest:
        raise ModelError("M07", file=folder, expected=release.digest, found=found)
    return folder


def _releases(workspace: Workspace, name: str | None = None) -> list[Release]:
    """All releases, or the one called `name`; a workspace without a database has none."""
    if not workspace.database.exists():
        return []
    # The database library takes longer to import than a wrong recipe takes to be told.
    from tunesmith.core.store import Store

    store = Store(workspace.database)
    if name is None:
        return store.releases()
    found = store.find(name)
    return [found] if found else []


def _looks_like_hub_id(name: str) -> bool:
    owner, slash, model = name.partition("/")
    return bool(slash and owner and model) and "/" not in model and not name.startswith((".", "/", "~"))


def _from_catalogue(entry: Entry) -> Path | None:
    if entry.hub:
        return hub.fetched(entry.hub)
    if entry.package:
        return _from_package(entry)
    return None


def _from_package(entry: Entry) -> Path:
    # find_spec reads where a top-level package lies without importing it.
    spec = importlib.util.find_spec(entry.module or "")
    if spec is None or not spec.submodule_search_locations:
        raise MissingError("M03", name=entry.name, package=entry.package, extra=entry.name)
    folder = Path(spec.submodule_search_locations[0]) / (entry.folder or "")
    found = durable.sha256(folder / "model.safetensors")
    if found != entry.sha256:
        raise ModelError("M07", file=folder / "model.safetensors", expected=entry.sha256, found=found)
    return folder


def weights_digest(folder: Path) -> str:
    """The sha256 over the names and contents of a folder's weights, configuration, tokenizer and contract."""
    result = hashlib.sha256()
    for path in sorted([*folder.glob("*.safetensors"), *(folder / name for name in _DECISIVE)]):
        if path.exists():
            result.update(f"{path.name} {durable.sha256(path)}\n".encode())
    return result.hexdigest()


def named(given: Sequence[str], found: Sequence[Resolved]) -> list[tuple[str, list[str], Resolved]]:
    """Name and aliases of each model: `router@3` is `router` too, unless two versions are served."""
    times = Counter(resolved.name for resolved in found)
    chosen: list[tuple[str, list[str], Resolved]] = []
    for label, resolved in zip(given, found, strict=True):
        is_alone = times[resolved.name] == 1
        aliases = [label] if "@" in label and is_alone else []
        chosen.append((resolved.name if is_alone else label, aliases, resolved))
    return chosen
