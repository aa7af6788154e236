"""A component in a recipe: chosen by its name from a registry, its settings held to its own signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from tunesmith.core import own_code
from tunesmith.core.errors import TunesmithError
from tunesmith.core.registry import Registry, settings_of


@dataclass(frozen=True, slots=True)
class Component:
    """A named component with its settings, all defaults filled in."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class From:
    """Marks a recipe field as a choice from a registry: `name`, or `{name: ..., setting: ...}`."""

    registry: Registry

    def __get_pydantic_core_schema__(self, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            self.validate,
            serialization=core_schema.plain_serializer_function_ser_schema(_plain),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """A name, or a name with settings; whose settings they are, `component` says."""
        named = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
        return {"anyOf": [{"type": "string"}, named], "component": self.registry.noun}

    def validate(self, value: object, info: ValidationInfo | None = None) -> Component:
        """A Component whose settings were checked against the signature of what it names."""
        if isinstance(value, Component):
            return value
        given = {"name": value} if isinstance(value, str) else value
        if not isinstance(given, dict) or not isinstance(given.get("name"), str):
            raise PydanticCustomError("component_shape", "name a component", {"noun": self.registry.noun})
        settings = {key: item for key, item in given.items() if key != "name"}
        try:
            name = loaded(given["name"], info)
            schema = settings_of(self.registry.get(name))
        except TunesmithError as error:
            raise told(error) from error
        return Component(name, checked(schema, settings).model_dump())


def loaded(name: str, info: ValidationInfo | None) -> str:
    """The name of a component; code of the user's own, `module:object` or `path.py:object`, is loaded."""
    if ":" not in name:
        return name
    own_code.load(name, folder_of(info))
    return own_code.reference(name)


def folder_of(info: ValidationInfo | None) -> Path:
    """Where the recipe lies; of one that is no file, the current folder."""
    found: Path = ((info and info.context) or {}).get("folder", Path.cwd())
    return found


def told(error: TunesmithError) -> PydanticCustomError:
    """An error of ours as pydantic carries it to `core.recipe_file`."""
    problem = error.problems[0]
    return PydanticCustomError(
        "tunesmith", "not found", {"code": problem.code, "values": dict(problem.values)}
    )


def checked(schema: type[BaseModel], settings: Mapping[str, Any], beside: Sequence[str] = ()) -> BaseModel:
    """Settings of a component; the keys `beside` them are known too."""
    try:
        return schema.model_validate(settings)
    except ValidationError as error:
        known = [*beside, *schema.model_fields]
        raise PydanticCustomError(
            "settings", "wrong settings", {"errors": error.errors(), "known": known}
        ) from error


def _plain(component: Component) -> str | dict[str, Any]:
    if not component.settings:
        return component.name
    return {"name": component.name, **component.settings}


def named(name: str) -> Any:
    """A default component, its settings filled in from its signature."""
    return Field(default=name, validate_default=True)


def known_name(registry: Registry) -> BeforeValidator:
    """Holds a text to the names of a registry, code of the user's own among them."""

    def check(value: object, info: ValidationInfo) -> object:
        if isinstance(value, str):
            try:
                value = loaded(value, info)
                registry.get(value)
            except TunesmithError as error:
                raise told(error) from error
        return value

    return BeforeValidator(check)
