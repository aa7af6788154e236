"""From names to models that are served: loaded, given engines, and followed where an alias names them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.core.errors import ModelError, UsageError
from tunesmith.core.uses import using
from tunesmith.core.workspace import Workspace
from tunesmith.models.resolve import Resolved, named, resolve
from tunesmith.serve.deployments import Deployments
from tunesmith.serve.following import Source
from tunesmith.serve.names import ANYHOW, Computing
from tunesmith.serve.reach import asks_for_keys
from tunesmith.serve.served import Deployment
from tunesmith.serve.worker.deployment import deploy_apart
from tunesmith.workflow.bases import Bases

if TYPE_CHECKING:
    from tunesmith.core.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What is served until it is closed, the store where keys are, and the aliases to look at.

    `apart` names adapters that are folded into a base of their own, with their kind.
    """

    deployments: Deployments
    store: Store | None
    sources: list[Source]
    apart: Mapping[str, str]


def serving(
    labels: Sequence[str],
    workspace: Workspace,
    *,
    canaries: Sequence[tuple[str, float]] = (),
    shadows: Sequence[tuple[str, float]] = (),
    host: str = "127.0.0.1",
    computing: Computing = ANYHOW,
    loading: Callable[[str], None] = lambda name: None,
    deployments: Deployments | None = None,
) -> Serving:
    """Load models by their labels into `deployments`, telling `loading` of each when its turn comes.

    A model that an alias names is served as `name@version`, and as its name and label. `canaries` are labels
    with the part (0 to 1) of the requests for the same name, under another label, that each answers;
    `shadows` are asked such a part too, after the answer. `host` is where they will be served. `computing`
    is of language models.

    Raises:
        UsageError: S19 for a host that other machines reach when there is no key; S24 when two models have
            one name; S74 for a canary of a model that is not served.
    """
    store = _store(workspace)
    asks_for_keys(host, store)  # before anything is loaded
    given = [*labels, *(label for label, _ in (*canaries, *shadows) if label not in labels)]
    found = [resolve(label, workspace) for label in given]
    deployments, sources = Deployments(()) if deployments is None else deployments, list[Source]()
    start = Starting(workspace=workspace, computing=computing, bases=Bases(found, computing))
    with ExitStack() as held:
        held.callback(deployments.close)
        for label, (name, aliases, resolved) in zip(given, named(given, found), strict=True):
            loading(label)
            if store is None or _followed(store, label) is None:
                deployments.add(start.deploy(resolved, name, aliases))
                continue
            names = [label]
            if label in labels and sum(other.partition("@")[0] == resolved.name for other in labels) == 1:
                names.append(resolved.name)
            source = start.source(label, tuple(names), store)
            deployments.add(source.load())
            sources.append(source)
        for label, part in canaries:
            _share(deployments.share, deployments, labels, label, part)
        for label, part in shadows:
            _share(deployments.shadow, deployments, labels, label, part)
        held.pop_all()
    return Serving(deployments=deployments, store=store, sources=sources, apart=start.bases.apart)


@dataclass(frozen=True, slots=True, kw_only=True)
class Starting:
    """How models are started: how they are computed, and who shares a base with whom."""

    workspace: Workspace
    bases: Bases
    computing: Computing = ANYHOW

    def deploy(self, resolved: Resolved, name: str, aliases: Sequence[str]) -> Deployment:
        """Serve a model out of a process of its own, or of its base, which tries it out first.

        Its folder is in use until it is closed.

        Raises:
            ModelError: M13 for one that has no folder, M14 for a hosted one.
        """
        if resolved.hosted is not None:
            raise ModelError("M14", name=name, wanted="serve", task="ask, eval, eval.against")
        if resolved.folder is None:
            raise ModelError("M13", name=name)
        with ExitStack() as held:
            held.enter_context(using(self.workspace, [resolved.folder]))
            made = self._started(resolved, resolved.folder, name, aliases)
            made.held.callback(held.pop_all().close)
        return made

    def _started(self, resolved: Resolved, folder: Path, name: str, aliases: Sequence[str]) -> Deployment:
        if self.computing.engine == "vllm" and (made := _by_vllm(folder, name, aliases, self.computing)):
            return made
        return self.bases.deploy(resolved, name, aliases) or deploy_apart(
            folder, name=name, aliases=aliases, computing=self.computing
        )

    def source(self, label: str, names: tuple[str, ...], store: Store) -> Source:
        """Where a label with an alias leads, now and later."""

        def made() -> Deployment:
            release = store.release(label)
            return self.deploy(resolve(release.label, self.workspace), release.label, names)

        return Source(label=label, version=lambda: _followed(store, label), load=made)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A model that is ready to be served, and where its label leads, if an alias names it."""

    deployment: Deployment
    source: Source | None


def one(label: str, workspace: Workspace, *, taken: Callable[[str], bool]) -> Loaded:
    """Load one model by its label; it has the name without a version too, unless that is `taken`.

    Raises:
        TunesmithError: when there is no such model, or it cannot be loaded or served.
    """
    resolved = resolve(label, workspace)
    store = _store(workspace)
    bare = () if taken(resolved.name) else (resolved.name,)
    start = Starting(workspace=workspace, bases=Bases([], ANYHOW))
    if store is None or _followed(store, label) is None:
        names = [name for name in dict.fromkeys((*bare, label)) if not taken(name)] or [label]
        return Loaded(deployment=start.deploy(resolved, names[0], names[1:]), source=None)
    source = start.source(label, (label, *bare), store)
    return Loaded(deployment=source.load(), source=source)


def _by_vllm(folder: Path, name: str, aliases: Sequence[str], computing: Computing) -> Deployment | None:
    """A language model on vLLM; None for others, which are computed as always."""
    from tunesmith.serve.vllm.deployment import covers, deploy_vllm

    if not covers(folder):
        return None
    if numbers := computing.weights or computing.kv_cache:
        raise UsageError("N07", numbers=numbers, engine="vllm")
    return deploy_vllm(folder, name=name, aliases=aliases)


def _store(workspace: Workspace) -> Store | None:
    """Where releases and keys are, if there are any; it takes half a second to load."""
    if not workspace.database.exists():
        return None
    from tunesmith.core.store import Store

    return Store(workspace.database)


def _followed(store: Store, label: str) -> str | None:
    """The release that a label with an alias means; None for other labels, and while there is none."""
    alias = label.partition("@")[2]
    if not alias or alias.isdecimal():
        return None
    found = store.find(label)
    return found.label if found else None


def _share(
    share: Callable[[str, str, float], None],
    deployments: Deployments,
    labels: Sequence[str],
    canary: str,
    part: float,
) -> None:
    """Let a canary or a shadow have some of the requests for other labels of its name."""
    name = canary.partition("@")[0]
    shared = [label for label in labels if label.partition("@")[0] == name and label != canary]
    if not shared:
        raise UsageError("S74", canary=canary, served=", ".join(labels) or "-")
    for label in {*shared, name}:
        if label in deployments:
            share(label, canary, part)
