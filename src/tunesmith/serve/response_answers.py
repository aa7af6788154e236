"""What POST /v1/responses says, in OpenAI's shape."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from tunesmith.serve.answers import Answer, Frozen, Id, Name, Number, Seconds

Status = Literal["completed", "incomplete", "in_progress"]


class OutputText(Frozen):
    """Text of an answer."""

    type: Literal["output_text"] = "output_text"
    text: Answer
    annotations: Annotated[list[Name], Field(max_length=0)] = Field(default_factory=list)


class OutputMessage(Frozen):
    """What the assistant said."""

    type: Literal["message"] = "message"
    id: Id
    role: Literal["assistant"] = "assistant"
    status: Status
    content: Annotated[list[OutputText], Field(max_length=1)]


class OutputCall(Frozen):
    """A function that the model calls; its arguments are JSON text."""

    type: Literal["function_call"] = "function_call"
    id: Id
    call_id: Id
    name: Name
    arguments: Answer
    status: Status


class Cached(Frozen):
    """Of the tokens read, those that were known already."""

    cached_tokens: Number = 0


class Reasoned(Frozen):
    """Of the tokens written, those that are thoughts."""

    reasoning_tokens: Number = 0


class ResponseUsage(Frozen):
    """Tokens read and written."""

    input_tokens: Number
    input_tokens_details: Cached = Cached()
    output_tokens: Number
    output_tokens_details: Reasoned = Reasoned()
    total_tokens: Number


class Incomplete(Frozen):
    """Why an answer is not complete."""

    reason: Literal["max_output_tokens"] = "max_output_tokens"


class ResponseAnswer(Frozen):
    """The answer of POST /v1/responses."""

    id: Id
    object: Literal["response"] = "response"
    created_at: Seconds
    model: Name
    status: Status
    output: Annotated[list[OutputMessage | OutputCall], Field(max_length=4096)]
    usage: ResponseUsage | None = None
    incomplete_details: Incomplete | None = None
    error: None = None
    parallel_tool_calls: bool = True
    store: Literal[False] = False


class ResponseEvent(Frozen):
    """One event of a streamed response; what else it says depends on its type."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, Any]

    type: Name
    sequence_number: Number
