"""The schema that the form of a recipe is made of: its keys, and the settings of every component."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

from tunesmith.core import components
from tunesmith.core.errors import TunesmithError
from tunesmith.core.recipe import Recipe
from tunesmith.core.registry import Registry, settings_of

# Where in a recipe the components of a registry are chosen.
_PLACES: dict[str, Registry] = {
    "train.loss": components.losses,
    "train.optimizer": components.optimizers,
    "train.schedule": components.schedules,
    "train.method": components.methods,
    "data.clean": components.cleaners,
}


@cache
def of_recipe() -> dict[str, Any]:
    """The JSON Schema of a recipe, its tasks, and for each place of a component what may stand there."""
    return {
        "recipe": Recipe.model_json_schema(),
        "tasks": {name: _task(name) for name in components.tasks.names()},
        "components": {
            place: {name: found for name in registry.names() if (found := _component(registry, name))}
            for place, registry in _PLACES.items()
        },
    }


def _task(name: str) -> dict[str, Any]:
    task = components.tasks.get(name)()
    return {
        "shape": task.shape,
        "losses": list(task.losses),
        "metrics": list(task.metrics),
        "baselines": list(task.baselines),
    }


def _component(registry: Registry, name: str) -> dict[str, Any] | None:
    """What a component says of itself; none when its package is not there."""
    try:
        component = registry.get(name)
    except (TunesmithError, ImportError):
        return None
    said = inspect.getdoc(component) or ""
    return {"about": said.partition("\n")[0], "settings": settings_of(component).model_json_schema()}
