"""What requests to the routes of tasks may say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tunesmith.serve.schemas import ChatMessage
from tunesmith.serve.strict import ModelName, Strict, Text, TokenIds, mistake

MAX_ITEMS = 1024


class TextsRequest(Strict):
    """A text or several; POST /v1/classify, /v1/score, /v1/tag."""

    model: ModelName
    input: Text | Annotated[list[Text], Field(min_length=1, max_length=MAX_ITEMS)]

    @property
    def texts(self) -> list[str]:
        """The texts one by one."""
        return [self.input] if isinstance(self.input, str) else self.input


class RewriteRequest(TextsRequest):
    """POST /v1/translate and /v1/summarise: the best of so many `beams` for each text.

    Longer candidates are preferred with a higher `length_penalty`.
    """

    beams: Annotated[int, Field(ge=1, le=8)] = 4
    length_penalty: Annotated[float, Field(ge=0, le=4)] = 1.0


class AskedText(Strict):
    """A question and the text that is to answer it."""

    question: Text
    context: Text


class AnswerRequest(Strict):
    """POST /v1/answer."""

    model: ModelName
    input: AskedText | Annotated[list[AskedText], Field(min_length=1, max_length=MAX_ITEMS)]

    @property
    def asked(self) -> list[AskedText]:
        """The questions one by one."""
        return self.input if isinstance(self.input, list) else [self.input]


class EmbeddingsRequest(Strict):
    """POST /v1/embeddings. `base64` is of little-endian float32 numbers, which OpenAI's client asks for.

    Token ids are read as they are given. With `dimensions`, the first so many numbers, again of length 1.
    """

    model: ModelName
    input: (
        Text
        | Annotated[list[Text], Field(min_length=1, max_length=MAX_ITEMS)]
        | TokenIds
        | Annotated[list[TokenIds], Field(min_length=1, max_length=MAX_ITEMS)]
    )
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int, Field(ge=1, le=65_536)] | None = None
    user: Annotated[str, Field(max_length=256)] | None = None

    @property
    def items(self) -> list[str | list[int]]:
        """Texts or token ids one by one."""
        if isinstance(self.input, str):
            return [self.input]
        if isinstance(self.input[0], int):
            return [[token for token in self.input if isinstance(token, int)]]
        return [item for item in self.input if not isinstance(item, int)]


class TokenizeRequest(Strict):
    """POST /v1/tokenize: of texts, or of `messages` as the model is asked them."""

    model: ModelName
    input: Text | Annotated[list[Text], Field(min_length=1, max_length=MAX_ITEMS)] | None = None
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=2048)] | None = None
    add_special_tokens: bool = True

    @model_validator(mode="after")
    def _texts_or_messages(self) -> TokenizeRequest:
        if (self.input is None) == (self.messages is None):
            raise mistake("S37", one="input", other="messages")
        return self


class DetokenizeRequest(Strict):
    """POST /v1/detokenize."""

    model: ModelName
    ids: TokenIds | Annotated[list[TokenIds], Field(min_length=1, max_length=MAX_ITEMS)]
    skip_special_tokens: bool = True

    @property
    def rows(self) -> list[list[int]]:
        """The ids of each text."""
        if isinstance(self.ids[0], int):
            return [[token for token in self.ids if isinstance(token, int)]]
        return [row for row in self.ids if isinstance(row, list)]
