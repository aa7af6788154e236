"""What POST /v1/feedback may say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tunesmith.serve.strict import MAX_TEXT, Strict, Text, mistake


class Mark(Strict):
    """Words as they stand in a text, and what they are; of several such places that nearest to `start`."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
    label: Annotated[str, Field(max_length=256)] = ""
    start: Annotated[int, Field(ge=0, lt=2**32)] | None = None


class FeedbackRequest(Strict):
    """Of the answer with this `id` (or the X-Request-Id of its request): how good it is, or a better one.

    The correction of what /v1/tag or /v1/answer said are the right words of the text, none where there is
    nothing to be found.
    """

    id: Annotated[str, Field(min_length=1, max_length=64)]
    rating: Literal["good", "bad"] | None = None
    correction: Text | Annotated[list[Mark], Field(max_length=10_000)] | None = None
    comment: Text | None = None

    @model_validator(mode="after")
    def _says_something(self) -> FeedbackRequest:
        if self.rating is None and self.correction is None and self.comment is None:
            raise mistake("S47", fields="rating, correction, comment")
        return self
