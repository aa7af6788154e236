"""The library of models, `transformers`, as models are made and loaded by it."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def transformers() -> Any:
    """The library, which says nothing and knows our own kinds of models."""
    import transformers as found

    from tunesmith.models import reference as _known  # noqa: F401  importing it makes its kinds known

    found.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    found.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return found
