"""Any adapter: read from a folder onto its base, or written from the model it is on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from tunesmith.models import adapter_config, adapters, peft_adapters, soft_prompt
from tunesmith.models.json_file import read_json


def applied(model: nn.Module, folder: Path) -> nn.Module:
    """`model` with the adapter of a PEFT folder folded into it; a prompt stays before what it reads.

    Raises:
        ModelError: M21 when the adapter does not fit this model, or is of a kind that is not known; M57 when
            the model cannot have a prompt.
        MissingError: M03 when it needs the peft library, which is not installed.
    """
    config = read_json(folder / adapter_config.CONFIG)
    if config.get("peft_type") == "PROMPT_TUNING":
        soft_prompt.load(model, folder)
        return model
    if adapter_config.is_plain(config):
        adapters.load(model, folder)
        return adapters.merge(model)
    return peft_adapters.merged(model, folder)


def fold(model: nn.Module) -> None:
    """Fold the adapter that is on a model, if there is one, into its weights."""
    if peft_adapters.is_on(model):
        peft_adapters.fold(model)
    adapters.merge(model)


def save(model: nn.Module, folder: Path, *, base: str, task_type: str) -> bool:
    """Write the adapter that is on a model, if there is one; says whether there was."""
    save_of: Any = None
    if soft_prompt.of(model):
        save_of = soft_prompt.save
    elif peft_adapters.is_on(model):
        save_of = peft_adapters.save
    elif any(True for _ in adapters.adapters(model)):
        save_of = adapters.save
    if save_of is None:
        return False
    save_of(model, folder, base=base, task_type=task_type)
    return True
