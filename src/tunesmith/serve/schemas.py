"""What requests for text may say: every field with a bound, and no field that is not honoured."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from tunesmith.serve.strict import (
    MAX_SEQUENCES,
    MAX_TOKENS,
    Bias,
    BiasedId,
    Count,
    ModelName,
    Penalty,
    Stop,
    Strict,
    Text,
    TokenIds,
    Tops,
    mistake,
)
from tunesmith.serve.tool_schemas import Called, ResponseFormat, Tool, ToolChoice, ToolName


class TextPart(Strict):
    """A part of a message's content; only text is supported."""

    type: Literal["text"]
    text: Text


class ChatMessage(Strict):
    """One turn of a conversation; what a tool answered has the role `tool`."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Text | Annotated[list[TextPart], Field(min_length=1, max_length=256)] | None = None
    name: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    tool_calls: Annotated[list[Called], Field(min_length=1, max_length=128)] | None = None
    tool_call_id: ToolName | None = None
    refusal: None = None

    @model_validator(mode="after")
    def _says_something(self) -> ChatMessage:
        if self.content is None and self.tool_calls is None:
            raise mistake("S26", field="content")
        if self.tool_calls is not None and self.role != "assistant":
            raise mistake("S42", field="tool_calls", role="assistant")
        if self.tool_call_id is not None and self.role != "tool":
            raise mistake("S42", field="tool_call_id", role="tool")
        return self

    def plain(self) -> dict[str, Any]:
        """The form prompt contracts render; `developer` is the newer name of `system`."""
        role = "system" if self.role == "developer" else self.role
        parts = [self.content] if isinstance(self.content, str) else [p.text for p in self.content or ()]
        calls = [call.model_dump() for call in self.tool_calls] if self.tool_calls else None
        said = {"role": role, "content": "".join(parts), "name": self.name}
        more = {"tool_calls": calls, "tool_call_id": self.tool_call_id}
        return {key: value for key, value in {**said, **more}.items() if value is not None}


class StreamOptions(Strict):
    """What a stream carries beside the text."""

    include_usage: bool = False


class Generation(Strict):
    """What chat and text completions have in common."""

    model: ModelName
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    n: Annotated[int, Field(ge=1, le=8)] | None = None
    stop: Stop | Annotated[list[Stop], Field(max_length=16)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: Annotated[dict[BiasedId, Bias], Field(max_length=1024)] | None = None
    user: Annotated[str, Field(max_length=256)] | None = None

    @property
    def tops(self) -> int | None:
        """How many likelier tokens are told of beside each; None where no likelihoods are asked for."""
        raise NotImplementedError

    @property
    def bias(self) -> dict[int, float]:
        """What is added to the logits of ids."""
        return {int(token): bias for token, bias in (self.logit_bias or {}).items()}

    @property
    def stops(self) -> list[str]:
        """The stop strings."""
        return [self.stop] if isinstance(self.stop, str) else self.stop or []

    @property
    def include_usage(self) -> bool:
        """Whether a stream ends with the counts of tokens."""
        return self.stream_options is not None and self.stream_options.include_usage

    @model_validator(mode="after")
    def _stream_options_need_a_stream(self) -> Generation:
        if self.stream_options is not None and not self.stream:
            raise mistake("S28", needs="stream", given="stream_options")
        return self


class ChatRequest(Generation):
    """POST /v1/chat/completions."""

    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=2048)]
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    logprobs: bool | None = None
    top_logprobs: Tops | None = None
    tools: Annotated[list[Tool], Field(min_length=1, max_length=128)] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None

    @property
    def tops(self) -> int | None:
        """See `Generation.tops`."""
        return (self.top_logprobs or 0) if self.logprobs else None

    @model_validator(mode="after")
    def _tops_need_logprobs(self) -> ChatRequest:
        if self.top_logprobs and not self.logprobs:
            raise mistake("S28", needs="logprobs", given="top_logprobs")
        return self

    @model_validator(mode="after")
    def _tools_go_together(self) -> ChatRequest:
        for given in ("tool_choice", "parallel_tool_calls"):
            if getattr(self, given) is not None and not self.tools:
                raise mistake("S43", given=given, needs="tools")
        shaped = self.response_format is not None and self.response_format.type != "text"
        if self.tools and shaped and self.tool_choice != "none":
            raise mistake("S44", one="tools", other="response_format")
        return self

    @model_validator(mode="after")
    def _one_limit(self) -> ChatRequest:
        if self.max_tokens is not None and self.max_completion_tokens is not None:
            raise mistake("S29", one="max_completion_tokens", other="max_tokens")
        return self


class CompletionRequest(Generation):
    """POST /v1/completions. `prompt` is text or token ids, or a list of either."""

    prompt: (
        Text
        | Annotated[list[Text], Field(min_length=1, max_length=MAX_SEQUENCES)]
        | TokenIds
        | Annotated[list[TokenIds], Field(min_length=1, max_length=MAX_SEQUENCES)]
    )
    max_tokens: Annotated[int, Field(ge=0, le=MAX_TOKENS)] | None = None
    echo: bool | None = None
    logprobs: Tops | None = None

    @property
    def tops(self) -> int | None:
        """See `Generation.tops`."""
        return self.logprobs

    @property
    def prompts(self) -> list[str | list[int]]:
        """The prompts one by one."""
        if isinstance(self.prompt, str):
            return [self.prompt]
        if isinstance(self.prompt[0], int):
            return [[token for token in self.prompt if isinstance(token, int)]]
        return [prompt for prompt in self.prompt if not isinstance(prompt, int)]

    @model_validator(mode="after")
    def _nothing_new_needs_echo(self) -> CompletionRequest:
        if self.max_tokens == 0 and not self.echo:
            raise mistake("S34", field="max_tokens")
        return self

    @model_validator(mode="after")
    def _few_sequences(self) -> CompletionRequest:
        if len(self.prompts) * (self.n or 1) > MAX_SEQUENCES:
            raise mistake("S30", limit=MAX_SEQUENCES)
        return self
