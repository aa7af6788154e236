"""What POST /v1/feedback may say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tunesmith.serve.strict import Strict, Text, mistake


class FeedbackRequest(Strict):
    """Of the answer with this `id` (or the X-Request-Id of its request): how good it is, or a better one."""

    id: Annotated[str, Field(min_length=1, max_length=64)]
    rating: Literal["good", "bad"] | None = None
    correction: Text | None = None
    comment: Text | None = None

    @model_validator(mode="after")
    def _says_something(self) -> FeedbackRequest:
        if self.rating is None and self.correction is None and self.comment is None:
            raise mistake("S47", fields="rating, correction, comment")
        return self
