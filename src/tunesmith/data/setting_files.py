"""Files that components read: what a setting called `file` names, beside the recipe first, then here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from tunesmith.core.chosen import Component

_SETTING = "file"


def located(component: Component, base: Path) -> Component:
    """The component with its file where it was found; unchanged when it reads none or there is none."""
    named = component.settings.get(_SETTING)
    if not isinstance(named, str) or not (base / named).is_file():
        return component
    return replace(component, settings={**component.settings, _SETTING: str(base / named)})


def files(components: Iterable[Component], base: Path) -> Iterator[Path]:
    """The files that exist among those which components read."""
    for component in components:
        named = located(component, base).settings.get(_SETTING)
        if isinstance(named, str) and Path(named).is_file():
            yield Path(named)
