"""Whether there is memory for a model before it is loaded: one that does not fit may end others too."""

from __future__ import annotations

from tunesmith.core.errors import MemoryShortError
from tunesmith.core.memory import available_memory_bytes
from tunesmith.core.workspace import Workspace
from tunesmith.models import description, facts


def require(workspace: Workspace, label: str) -> None:
    """Check that a model fits into the memory that is free.

    Raises:
        MemoryShortError: W57 when it needs more.
    """
    fit = description.describe(facts.find(label, workspace))["fit"]
    free = available_memory_bytes()
    if fit is not None and free is not None and fit["serve_bytes"] > free:
        needed, there = (f"{size / 2**30:.1f} GiB" for size in (fit["serve_bytes"], free))
        raise MemoryShortError("W57", name=label, needed=needed, free=there)
