"""All that is known about one model without loading it, as plain values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tunesmith.core.memory import machine_memory_bytes
from tunesmith.models import card, facts, fitness, vocabulary
from tunesmith.models.card import Card
from tunesmith.models.catalogue import Entry
from tunesmith.models.contract import PromptContract
from tunesmith.models.facts import Found


def describe(found: Found) -> dict[str, Any]:
    """What a model is, needs and comes from; what is not known without its files is None.

    Raises:
        ModelError: M04, M06 or M52 when its folder is damaged.
    """
    folder, entry, release = found.folder, found.entry, found.release
    own = card.read(folder) if folder else None
    known = own or entry
    prompt = facts.contract(folder, own) if folder and own else None
    words = vocabulary.read(folder) if folder else None
    return {
        "name": found.name,
        "kind": known.kind if known else None,
        "family": facts.family(folder, own) if folder and own else entry.family if entry else None,
        "tasks": list(facts.tasks(own) if own else entry.tasks if entry else ()),
        "installed": found.installed,
        "folder": str(folder) if folder else None,
        "parameters": facts.parameters(folder) if folder else entry.parameters * 10**6 if entry else None,
        "layers": facts.layers(folder) if folder else entry.shape.layers if entry and entry.shape else None,
        "context": _context(known),
        "tokenizer": asdict(words) if words else None,
        "languages": _languages(found),
        "licence": facts.licence(found, own),
        "labels": list(own.labels) if own else [],
        "contract": _contract(prompt),
        "fit": _fit(found, known),
        "base": own.base.name if own and own.base else None,
        "lineage": release.lineage if release else own.lineage if own else {},
        "aliases": list(release.aliases) if release else [],
        "digest": release.digest if release else None,
        "created": release.created if release else None,
    }


def _context(known: Card | Entry | None) -> int | None:
    """The longest input in tokens; a linear model has no limit."""
    return None if known is None or known.kind == "tfidf" else known.context


def _languages(found: Found) -> list[str]:
    if found.entry is not None:
        return list(found.entry.languages)
    return facts.languages(found.folder) if found.folder else []


def _fit(found: Found, known: Card | Entry | None) -> dict[str, Any] | None:
    """The bytes that training and serving need; None for what is no transformer of a known shape."""
    shape = facts.shape(found.folder) if found.folder else found.entry.shape if found.entry else None
    if shape is None or known is None:
        return None
    return fitness.here(shape, known.kind, known.context, machine_memory_bytes())


def _contract(prompt: PromptContract | None) -> dict[str, Any] | None:
    if prompt is None:
        return None
    able = prompt.abilities
    return {
        "digest": prompt.digest,
        "template": prompt.template,
        "system": prompt.system,
        "stop": list(prompt.stop),
        "roles": list(able.roles),
        "tools": able.tools,
        "generation": asdict(prompt.generation),
    }
