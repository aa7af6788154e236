"""Why a model is not written in a format, in whatever language it is read."""

from __future__ import annotations

from tunesmith.core.errors import ModelError


def no_gguf(why: str, value: object = "", **more: str) -> ModelError:
    """M76, because of `why`; see `because`."""
    return ModelError("M76", reason=because(why, value, **more))


def because(why: str, value: object = "", **more: str) -> dict[str, str]:
    """The reason `why`, a sentence of `messages/models.toml`, with its values."""
    return {"why": f"models.{why}", "value": str(value), **more}
