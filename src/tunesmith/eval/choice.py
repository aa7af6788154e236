"""Which metrics a task can be measured by beside its own, when a recipe or a person names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tunesmith.tasks.task import Task

_LABELS = ("weighted_f1", "roc_auc", "pr_auc")
TEXTS = (
    "bleu", "chrf", "ter", "rouge_l", "rouge_1", "rouge_2", "exact_match", "json_valid", "json_field_f1",
    "repetition", "distinct_1", "distinct_2", "length_ratio",
)  # fmt: skip
"""What is measured of written texts."""
_MORE: Mapping[str, tuple[str, ...]] = {
    "labelled": (
        "micro_f1", "balanced_accuracy", "mcc", "log_loss", "top_3_accuracy", "top_5_accuracy",
        "calibration_error", *_LABELS,
    ),
    "multilabelled": ("jaccard", *_LABELS),
    "tagged": ("entity_overlap_f1",),
    "scored": ("rmse", "r2"),
    "paired": TEXTS,
}  # fmt: skip
_OTHERWISE = ("embed",)


def possible(task: Task) -> tuple[str, ...]:
    """The built-in metrics of a task: those that are always measured, and those that can be."""
    more = () if task.name in _OTHERWISE else _MORE.get(task.shape, ())
    return tuple(dict.fromkeys((*task.metrics, *more)))
