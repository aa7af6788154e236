"""What requests may say of tools and of the form of an answer. Schemas are JSON Schema: `serve.grammar`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from tunesmith.serve.strict import Strict, Text

ToolName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-zA-Z0-9_.:-]+$")]
Schema = Annotated[dict[Annotated[str, Field(max_length=256)], Any], Field(max_length=256)]


class Function(Strict):
    """A function that the model may call: what it does, and the schema of its arguments.

    Arguments are always held to their schema, whether or not it is called `strict`.
    """

    name: ToolName
    description: Text | None = None
    parameters: Schema | None = None
    strict: bool | None = None


class Tool(Strict):
    """A tool; only functions are supported."""

    type: Literal["function"]
    function: Function


class Named(Strict):
    """The function that has to be called."""

    name: ToolName


class NamedChoice(Strict):
    """The tool that has to be called."""

    type: Literal["function"]
    function: Named


ToolChoice = Literal["none", "auto", "required"] | NamedChoice


class CalledFunction(Strict):
    """A call that the assistant made; `arguments` are JSON text."""

    name: ToolName
    arguments: Text


class Called(Strict):
    """A call that the assistant made, under the id that its answer repeats."""

    id: ToolName
    type: Literal["function"] = "function"
    function: CalledFunction


class JsonSchema(Strict):
    """A schema with a name, which only identifies it; answers are always held to it."""

    name: ToolName
    description: Text | None = None
    schema_: Annotated[Schema, Field(alias="schema")]
    strict: bool | None = None


class AnyFormat(Strict):
    """Text, or any JSON object."""

    type: Literal["text", "json_object"]


class SchemaFormat(Strict):
    """JSON of a schema."""

    type: Literal["json_schema"]
    json_schema: JsonSchema


ResponseFormat = AnyFormat | SchemaFormat
