"""What POST /v1/responses may say: OpenAI's newer form of a conversation, read as a chat request."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, model_validator

from tunesmith.serve.schemas import ChatRequest
from tunesmith.serve.strict import Count, ModelName, Strict, Text
from tunesmith.serve.tool_schemas import Schema, ToolName

Kept = Annotated[str, Field(max_length=128)]


class InputText(Strict):
    """A part of a message; only text is supported."""

    type: Literal["input_text", "output_text"]
    text: Text
    annotations: Annotated[list[Any], Field(max_length=0)] | None = None
    logprobs: Annotated[list[Any], Field(max_length=0)] | None = None


class InputMessage(Strict):
    """One turn; an answer may be given back as it came."""

    type: Literal["message"] = "message"
    role: Literal["system", "developer", "user", "assistant"]
    content: Text | Annotated[list[InputText], Field(min_length=1, max_length=256)]
    id: Kept | None = None
    status: Literal["completed", "incomplete", "in_progress"] | None = None

    def turn(self) -> dict[str, Any]:
        """As a chat request has it."""
        parts = [self.content] if isinstance(self.content, str) else [part.text for part in self.content]
        return {"role": self.role, "content": "".join(parts)}


class InputCall(Strict):
    """A call that the model made."""

    type: Literal["function_call"]
    call_id: ToolName
    name: ToolName
    arguments: Text
    id: Kept | None = None
    status: Literal["completed", "incomplete", "in_progress"] | None = None

    def turn(self) -> dict[str, Any]:
        """As a chat request has it."""
        function = {"name": self.name, "arguments": self.arguments}
        return {"role": "assistant", "tool_calls": [{"id": self.call_id, "function": function}]}


class InputResult(Strict):
    """What a tool answered."""

    type: Literal["function_call_output"]
    call_id: ToolName
    output: Text
    id: Kept | None = None
    status: Literal["completed", "incomplete", "in_progress"] | None = None

    def turn(self) -> dict[str, Any]:
        """As a chat request has it."""
        return {"role": "tool", "tool_call_id": self.call_id, "content": self.output}


class ResponseTool(Strict):
    """A function that the model may call."""

    type: Literal["function"]
    name: ToolName
    description: Text | None = None
    parameters: Schema | None = None
    strict: bool | None = None


class NamedFunction(Strict):
    """The function that has to be called."""

    type: Literal["function"]
    name: ToolName


class TextFormat(Strict):
    """The form of the answer; a `json_schema` has its schema beside it."""

    type: Literal["text", "json_object", "json_schema"]
    name: ToolName | None = None
    description: Text | None = None
    schema_: Annotated[Schema | None, Field(alias="schema")] = None
    strict: bool | None = None

    def chat(self) -> dict[str, Any]:
        """As a chat request has it."""
        if self.type != "json_schema":
            return {"type": self.type}
        return {"type": self.type, "json_schema": {"name": self.name, "schema": self.schema_}}


class TextOptions(Strict):
    """How text is written."""

    format: TextFormat | None = None


class ResponsesRequest(Strict):
    """POST /v1/responses. Nothing is stored, so `store` may only be false."""

    model: ModelName
    input: (
        Text | Annotated[list[InputMessage | InputCall | InputResult], Field(min_length=1, max_length=2048)]
    )
    instructions: Text | None = None
    max_output_tokens: Count | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    stream: bool | None = None
    store: Literal[False] | None = None
    tools: Annotated[list[ResponseTool], Field(max_length=128)] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedFunction | None = None
    parallel_tool_calls: bool | None = None
    text: TextOptions | None = None
    user: Annotated[str, Field(max_length=256)] | None = None
    _chat: ChatRequest = PrivateAttr()

    @model_validator(mode="after")
    def _is_a_chat(self) -> ResponsesRequest:
        self._chat = ChatRequest.model_validate(self._fields())
        return self

    @property
    def chat(self) -> ChatRequest:
        """The same as a chat request."""
        return self._chat

    def _fields(self) -> dict[str, Any]:
        items = [InputMessage(role="user", content=self.input)] if isinstance(self.input, str) else self.input
        begin = [{"role": "system", "content": self.instructions}] if self.instructions else []
        tools = [
            {"type": "function", "function": tool.model_dump(exclude={"type"})} for tool in self.tools or ()
        ]
        choice = self.tool_choice
        if isinstance(choice, NamedFunction):
            named: Any = {"type": "function", "function": {"name": choice.name}}
        else:
            named = choice
        shape = self.text.format.chat() if self.text and self.text.format else None
        return {
            "model": self.model,
            "messages": [*begin, *(item.turn() for item in items)],
            "max_tokens": self.max_output_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "tools": tools or None,
            "tool_choice": named,
            "parallel_tool_calls": self.parallel_tool_calls,
            "response_format": shape,
        }
