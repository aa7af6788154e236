"""What responses say, in OpenAI's shapes. Bounded like requests, so that the API document has no open end."""

from __future__ import annotations

import time
import uuid
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(max_length=256)]
Label = Annotated[str, Field(max_length=2**16)]
Answer = Annotated[str, Field(max_length=2**26)]
Id = Annotated[str, Field(max_length=64)]
Seconds = Annotated[int, Field(ge=0, lt=2**53)]
Number = Annotated[int, Field(ge=0, lt=2**53)]
Index = Annotated[int, Field(ge=0, lt=4096)]
Probability = Annotated[float, Field(ge=0, le=1)]
Logprob = Annotated[float, Field(ge=-1e38, le=0)]
# Left out where there is nothing: readers of streams put together what they are given.
Given = TypeVar("Given")
Brief = Annotated[Given | None, Field(exclude_if=lambda value: value is None)]
FinishReason = Literal["stop", "length", "tool_calls"]


class Frozen(BaseModel):
    """What every answer is: never changed once it is made."""

    model_config = ConfigDict(frozen=True)


class Usage(Frozen):
    """Tokens read and written; the token that ended an answer counts as written."""

    prompt_tokens: Number
    completion_tokens: Number
    total_tokens: Number

    @classmethod
    def of(cls, prompt: int, completion: int) -> Usage:
        """Counts with their sum."""
        total = prompt + completion
        return cls(prompt_tokens=prompt, completion_tokens=completion, total_tokens=total)


class _Head(Frozen):
    """What begins every completion and every chunk of one."""

    id: Id
    created: Seconds
    model: Name


class TopLogprob(Frozen):
    """A token that could have been here, its bytes (it may end inside a character), and how likely it was."""

    token: Answer
    bytes: Annotated[list[Annotated[int, Field(ge=0, le=255)]], Field(max_length=2**16)]
    logprob: Logprob


class TokenLogprob(TopLogprob):
    """A token of an answer, and the likeliest ones in its place."""

    top_logprobs: Annotated[list[TopLogprob], Field(max_length=32)]


class ChatLogprobs(Frozen):
    """How likely an answer's tokens were, the one that ended it included."""

    content: Annotated[list[TokenLogprob], Field(max_length=2**21)]


class CompletionLogprobs(Frozen):
    """How likely tokens were, as natural logarithms. Of a prompt's first token nothing is known.

    `top_logprobs` has the token itself, too. `text_offset` counts characters of the choice's text.
    """

    tokens: Annotated[list[Answer], Field(max_length=2**21)]
    token_logprobs: Annotated[list[Logprob | None], Field(max_length=2**21)]
    top_logprobs: Annotated[
        list[Annotated[dict[Answer, Logprob], Field(max_length=32)] | None], Field(max_length=2**21)
    ]
    text_offset: Annotated[list[Number], Field(max_length=2**21)]


class ToolFunction(Frozen):
    """A function that the model calls; its arguments are JSON text, in a stream a piece of it."""

    name: Brief[Name] = None
    arguments: Answer


class ToolCall(Frozen):
    """A call of a tool."""

    id: Id
    type: Literal["function"] = "function"
    function: ToolFunction


class ToolCallDelta(Frozen):
    """What is new in a call: first its id and name, then its arguments piece by piece."""

    index: Index
    id: Brief[Id] = None
    type: Brief[Literal["function"]] = None
    function: ToolFunction


class AnswerMessage(Frozen):
    """The assistant's turn: text, calls of tools, or text before calls."""

    role: Literal["assistant"] = "assistant"
    content: Answer | None
    refusal: None = None
    tool_calls: Annotated[list[ToolCall], Field(max_length=4096)] | None = None


class ChatChoice(Frozen):
    """One answer."""

    index: Index
    message: AnswerMessage
    logprobs: ChatLogprobs | None = None
    finish_reason: FinishReason


class ChatCompletion(_Head):
    """The answer of POST /v1/chat/completions."""

    object: Literal["chat.completion"] = "chat.completion"
    choices: Annotated[list[ChatChoice], Field(max_length=64)]
    usage: Usage


class Delta(Frozen):
    """What is new in an answer."""

    role: Literal["assistant"] | None = None
    content: Answer | None = None
    tool_calls: Annotated[list[ToolCallDelta], Field(max_length=4096)] | None = None


class ChatChunkChoice(Frozen):
    """What is new in one answer."""

    index: Index
    delta: Delta
    logprobs: ChatLogprobs | None = None
    finish_reason: FinishReason | None = None


class ChatChunk(_Head):
    """One event of a streamed chat."""

    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    choices: Annotated[list[ChatChunkChoice], Field(max_length=64)]
    usage: Usage | None = None


class CompletionChoice(Frozen):
    """One continuation, or what is new in it."""

    index: Index
    text: Answer
    logprobs: CompletionLogprobs | None = None
    finish_reason: FinishReason | None = None


class Completion(_Head):
    """The answer of POST /v1/completions, and each event of its stream."""

    object: Literal["text_completion"] = "text_completion"
    choices: Annotated[list[CompletionChoice], Field(max_length=64)]
    usage: Usage | None = None


class ModelEntry(Frozen):
    """A served model."""

    id: Name
    object: Literal["model"] = "model"
    created: Seconds
    owned_by: Name = "tunesmith"
    task: Literal["generate", "classify", "embed", "score", "tag", "answer", "translate", "summarise"]


class ModelList(Frozen):
    """The answer of GET /v1/models."""

    object: Literal["list"] = "list"
    data: Annotated[list[ModelEntry], Field(max_length=4096)]


class Health(Frozen):
    """The answer of GET /health."""

    status: Literal["ok", "failed"]


class Readiness(Frozen):
    """The answer of GET /ready: whether requests are answered now, and which models work."""

    ready: bool
    models: Annotated[dict[Name, bool], Field(max_length=4096)]


class Kept(Frozen):
    """The answer of POST /v1/feedback."""

    object: Literal["feedback"] = "feedback"
    id: Id


class ErrorDetail(Frozen):
    """What went wrong; `param` is the field concerned."""

    message: Annotated[str, Field(max_length=2**16)]
    type: Name
    param: Name | None = None
    code: Name | None = None


class ErrorBody(Frozen):
    """Every error of this server."""

    error: ErrorDetail


def new_head(prefix: str, model: str) -> dict[str, str | int]:
    """A fresh id, the time now and the model's name."""
    return {"id": f"{prefix}-{uuid.uuid4().hex}", "created": int(time.time()), "model": model}
