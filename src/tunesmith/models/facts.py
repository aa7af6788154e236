"""What can be said about a model without loading it: its card, its size, its prompt contract, its licence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tunesmith.core.errors import NotFoundError
from tunesmith.core.registry import suggestion
from tunesmith.core.store import Release, Store
from tunesmith.core.workspace import Workspace
from tunesmith.models import card, catalogue, headers, modelscope
from tunesmith.models.card import Card
from tunesmith.models.catalogue import Entry
from tunesmith.models.contract import FILE as CONTRACT
from tunesmith.models.contract import PromptContract
from tunesmith.models.json_file import read_json
from tunesmith.models.resolve import Resolved, resolve
from tunesmith.models.shapes import Shape, of_config
from tunesmith.models.tokenizer import load as load_tokenizer


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a name stands for: a release, an entry of the catalogue, or only a folder.

    `folder` is None for `tfidf` and for a hub's model that is not on this machine.
    """

    name: str
    folder: Path | None
    release: Release | None = None
    entry: Entry | None = None

    @property
    def installed(self) -> bool:
        """Whether it can be used without a network."""
        return self.folder is not None or (self.entry is not None and self.entry.kind == "tfidf")


def find(name: str, workspace: Workspace) -> Found:
    """What `name` stands for on this machine; no network is asked.

    Raises:
        NotFoundError: M01 when nothing here has that name.
        MissingError: M03 when it comes with a package that is not installed.
    """
    if (Path.cwd() / name).is_dir():
        return _of_resolved(resolve(name, workspace))
    if workspace.database.exists() and (release := Store(workspace.database).find(name)):
        return Found(name=release.label, folder=Path(release.folder), release=release)
    entry = catalogue.entries().get(name)
    hub = entry.hub if entry else name if name.count("/") == 1 else None
    if hub is None:
        return _of_resolved(resolve(name, workspace), entry)
    folder = _cached(hub)
    if folder is None and entry is None:
        raise NotFoundError("M01", name=name, **suggestion(name, sorted(catalogue.entries())))
    return Found(name=name, folder=folder, entry=entry)


def _cached(hub: str) -> Path | None:
    """The folder of a model of either hub, if it was fetched before."""
    if hub.startswith(modelscope.PREFIX):
        return modelscope.cached(hub.removeprefix(modelscope.PREFIX))
    return in_hub_cache(hub.removeprefix("hf:"))


def _of_resolved(resolved: Resolved, entry: Entry | None = None) -> Found:
    return Found(name=resolved.name, folder=resolved.folder, entry=entry)


def in_hub_cache(hub: str) -> Path | None:
    """The folder of a hub's model, if it was fetched before."""
    from huggingface_hub import try_to_load_from_cache

    for file in ("model.safetensors", "model.safetensors.index.json"):
        found = try_to_load_from_cache(hub, file)
        if isinstance(found, str):
            return Path(found).parent
    return None


def tasks(found: Card) -> tuple[str, ...]:
    """What a model does, or can be trained for."""
    return (found.task,) if found.task else card.TASKS[found.kind]


def layers(folder: Path) -> int | None:
    """How many blocks a transformer has."""
    config = read_json(folder / "config.json")
    value: int | None = config.get("num_hidden_layers") or config.get("n_layer")
    return value


def parameters(folder: Path) -> int:
    """How many numbers a model has, its base's included; only headers are read.

    Raises:
        ModelError: M52 when a file is damaged.
    """
    own = own_parameters(folder)
    base = card.read(folder).base
    is_adapter = (folder / "adapter_config.json").exists()
    if is_adapter and base is not None and Path(base.folder).is_dir():
        own += own_parameters(Path(base.folder))
    return own


def own_parameters(folder: Path) -> int:
    """How many numbers a folder's safetensors hold."""
    return sum(tensor.elements for path in folder.glob("*.safetensors") for tensor in headers.read(path))


def shape(folder: Path) -> Shape | None:
    """The sizes of a transformer in a folder, or of the base that its adapter belongs to."""
    found = of_config(read_json(folder / "config.json"))
    base = card.read(folder).base
    return of_config(read_json(Path(base.folder) / "config.json")) if found is None and base else found


def family(folder: Path, own: Card) -> str | None:
    """What architecture a model is of."""
    if own.kind == "tfidf":
        return "linear"
    said = read_json(folder / "config.json")
    if not said and own.base:
        said = read_json(Path(own.base.folder) / "config.json")
    return str(said["model_type"]) if "model_type" in said else None


def languages(folder: Path) -> list[str]:
    """The languages that the head of a folder's README.md states, on the line of their key or below it."""
    found = re.search(r"^language:[ \t]*(.*(?:\n[ \t]*- .*)*)", _head(folder), re.M)
    return re.findall(r"[a-z]{2,3}\b|multilingual", found[1]) if found else []


def contract(folder: Path, found: Card) -> PromptContract | None:
    """The prompt contract of a language model."""
    if found.kind != "language":
        return None
    if (folder / CONTRACT).exists():
        return PromptContract.load(folder)
    from tunesmith.models.language import contract_of

    return contract_of(folder, load_tokenizer(folder))


def licence(found: Found, own: Card | None) -> str | None:
    """The licence: of the catalogue, of the base's entry there, or as the folder's README states it."""
    if found.entry is not None:
        return found.entry.licence
    if own is not None and own.base is not None and own.base.name in catalogue.entries():
        return catalogue.entries()[own.base.name].licence
    return stated_licence(found.folder) if found.folder else None


def stated_licence(folder: Path) -> str | None:
    """The licence that the head of a folder's README.md states, as hubs have it."""
    stated = re.search(r"^licen[sc]e:\s*[\"']?([\w.+-]+)[\"']?\s*$", _head(folder), re.M)
    return stated[1] if stated else None


def _head(folder: Path) -> str:
    """The YAML before the text of README.md; empty where there is none."""
    readme = folder / "README.md"
    content = readme.read_text(encoding="utf-8", errors="replace")[:4000] if readme.is_file() else ""
    found = re.match(r"---\n(.*?)^---", content, re.M | re.S)
    return found[1] if found else ""
