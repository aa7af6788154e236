"""What all requests have in common: JSON taken by the letter, and types with bounds."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

MAX_TEXT = 2_000_000  # characters; the body as a whole is bounded too
MAX_SEQUENCES = 64  # sequences of one request: prompts times n
MAX_TOKENS = 1_048_576

ModelName = Annotated[str, Field(min_length=1, max_length=256)]
Text = Annotated[str, Field(max_length=MAX_TEXT)]
Stop = Annotated[str, Field(min_length=1, max_length=256)]
TokenId = Annotated[int, Field(ge=0, lt=2**31)]
TokenIds = Annotated[list[TokenId], Field(min_length=1, max_length=MAX_TOKENS)]
Count = Annotated[int, Field(ge=1, le=MAX_TOKENS)]
Penalty = Annotated[float, Field(ge=-2, le=2)]
Bias = Annotated[float, Field(ge=-100, le=100)]
BiasedId = Annotated[str, Field(pattern=r"^\d{1,9}$", max_length=9)]
Tops = Annotated[int, Field(ge=0, le=20)]


def mistake(code: str, **values: Any) -> PydanticCustomError:
    """A mistake that concerns several fields, by its code in `serve.toml`."""
    return PydanticCustomError(
        "tunesmith", "fields that do not go together", {"code": code, "values": values}
    )


class Strict(BaseModel):
    """JSON types are taken as they are ("yes" is no boolean); NaN and unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)
