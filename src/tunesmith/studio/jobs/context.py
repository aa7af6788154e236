"""What a piece of work gets: where it is, whose language it speaks, whether to stop, and whom to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tunesmith.core.workspace import Workspace


@dataclass(slots=True, kw_only=True)
class Context:
    """The surroundings of a job. Work that asks `stop` now and then ends well; other work is interrupted.

    `by` is who asked for it; `progress` goes from 0 to 1; `subject` is what the job works on, for instance
    its run.
    """

    workspace: Workspace
    folder: Path
    lang: str
    by: str
    stop: Callable[[], bool]
    progress: float | None = None
    subject: str | None = None
    asks_to_stop: bool = field(default=False)
