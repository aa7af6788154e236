"""From names to models that are served: loaded, given engines, and followed where an alias names them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.core.errors import UsageError
from tunesmith.core.store import Store
from tunesmith.core.workspace import Workspace
from tunesmith.models.loading import load
from tunesmith.models.resolve import named, resolve
from tunesmith.serve.deployment import deploy
from tunesmith.serve.deployments import Deployments
from tunesmith.serve.following import Source
from tunesmith.serve.served import Deployment

# How a model of each kind is tried out.
_TRIALS: dict[str, Callable[[Any], object]] = {
    "language": lambda model: model.generate("a", max_new_tokens=1),
    "classifier": lambda model: model.predict(["a"]),
    "embedder": lambda model: model.embed(["a"]),
    "scorer": lambda model: model.score(["a"]),
    "tagger": lambda model: model.tag(["a"]),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What is served, out of which folders, the store where keys are, and the aliases to look at."""

    deployments: Deployments
    store: Store | None
    sources: list[Source]
    folders: list[Path]


def serving(
    labels: Sequence[str],
    workspace: Workspace,
    *,
    canaries: Sequence[tuple[str, float]] = (),
    loading: Callable[[str], None] = lambda name: None,
) -> Serving:
    """Load models by their labels, telling `loading` of each.

    A model that an alias names is served as `name@version`, and as its name and label. `canaries` are labels
    with the part (0 to 1) of the requests for the same name, under another label, that each answers.

    Raises:
        UsageError: S24 when two models have one name; S74 for a canary of a model that is not served.
    """
    store = Store(workspace.database) if workspace.database.exists() else None
    given = [*labels, *(label for label, _ in canaries)]
    found = [resolve(label, workspace) for label in given]
    deployments, sources = Deployments(()), list[Source]()
    for label, (name, aliases, resolved) in zip(given, named(given, found), strict=True):
        loading(label)
        version = store and _followed(store, label)
        if version is None:
            deployments.add(deploy(load(resolved), name=name, aliases=aliases))
            continue
        names = [label]
        if label in labels and sum(other.partition("@")[0] == resolved.name for other in labels) == 1:
            names.append(resolved.name)
        source = _source(label, tuple(names), workspace)
        deployments.add(source.load())
        sources.append(source)
    for label, part in canaries:
        _share(deployments, labels, label, part)
    folders = [resolved.folder for resolved in found if resolved.folder]
    return Serving(deployments=deployments, store=store, sources=sources, folders=folders)


def _source(label: str, names: tuple[str, ...], workspace: Workspace) -> Source:
    store = Store(workspace.database)

    def made() -> Deployment:
        release = store.release(label)
        model = load(resolve(release.label, workspace))
        _TRIALS.get(model.kind, lambda _: None)(model)
        return deploy(model, name=release.label, aliases=names)

    return Source(label=label, version=lambda: _followed(store, label), load=made)


def _followed(store: Store, label: str) -> str | None:
    """The release that a label with an alias means; None for other labels, and while there is none."""
    alias = label.partition("@")[2]
    if not alias or alias.isdecimal():
        return None
    found = store.find(label)
    return found.label if found else None


def _share(deployments: Deployments, labels: Sequence[str], canary: str, part: float) -> None:
    """Let a canary answer some of the requests for other labels of its name."""
    name = canary.partition("@")[0]
    shared = [label for label in labels if label.partition("@")[0] == name]
    if not shared:
        raise UsageError("S74", canary=canary, served=", ".join(labels) or "-")
    for label in {*shared, name}:
        if label in deployments:
            deployments.share(label, canary, part)
