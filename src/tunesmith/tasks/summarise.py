"""Summaries: the short of a long text."""

from __future__ import annotations

from typing import ClassVar

from tunesmith.tasks.paired import Paired


class Summarise(Paired):
    """Told by ROUGE, beside the first sentence of the source, which is hard to beat, and all of it."""

    name: ClassVar[str] = "summarise"
    metrics: ClassVar[tuple[str, ...]] = ("rouge_l", "rouge_1", "rouge_2")
    baselines: ClassVar[tuple[str, ...]] = ("lead", "copy")
