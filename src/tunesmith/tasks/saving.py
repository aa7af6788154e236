"""What every trained model writes: weights or adapter, tokenizer, card, contract."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from tunesmith.core.recipe import Made
from tunesmith.models import card, tokenizer
from tunesmith.models.card import Base
from tunesmith.models.resolve import Resolved, weights_digest
from tunesmith.tasks.task import Learner

_NONE: Mapping[str, str] = MappingProxyType({})


def save_backbone(
    learner: Learner, folder: Path, *, task_type: str = "", special: Mapping[str, str] = _NONE
) -> None:
    """Write the backbone's weights, or only its adapter when it has one, and what goes with them.

    `task_type` is what an adapter is for; `special` names tokens by role, beside those of the contract.
    """
    from tunesmith.models import adapter_folder

    base = learner.card.base.folder if learner.card.base else ""
    if adapter_folder.save(learner.backbone, folder, base=base, task_type=task_type):
        learner.backbone.config.save_pretrained(folder)  # type: ignore[operator, union-attr]
    else:
        learner.backbone.save_pretrained(folder)  # type: ignore[operator]
    tokenizer.save(
        learner.tokenizer, folder, context=learner.card.context, special={**_special(learner), **special}
    )
    learner.card.save(folder)
    if learner.contract is not None:
        learner.contract.save(folder)


def _special(learner: Learner) -> dict[str, str]:
    if learner.contract is None:
        return {}
    return {"bos_token": learner.contract.bos, "eos_token": learner.contract.eos}


def base_of(source: Resolved | Made) -> Base | None:
    """The model a training starts from, as the card remembers it."""
    if isinstance(source, Made) or source.folder is None:
        return None
    return Base(name=source.name, folder=str(source.folder), weights=weights_digest(source.folder))


def context_of(source: Resolved | Made, wanted: int | None, *, at_most: int) -> int:
    """How many tokens a row may have: what the recipe says, within what the model can take."""
    if isinstance(source, Made):
        limit = source.context
    else:
        limit = card.read(source.folder).context if source.folder else at_most
    return min(limit, wanted or at_most)
