"""Translation: one text into another language."""

from __future__ import annotations

from typing import ClassVar

from tunesmith.tasks.paired import Paired


class Translate(Paired):
    """Told by chrF and BLEU, beside a copy of the source and the target of the nearest known source."""

    name: ClassVar[str] = "translate"
    metrics: ClassVar[tuple[str, ...]] = ("chrf", "bleu")
    baselines: ClassVar[tuple[str, ...]] = ("copy", "nearest")
