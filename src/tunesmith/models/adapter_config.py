"""adapter_config.json of the PEFT library: which kind of adapter a folder holds. Imports no tensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.models import card
from tunesmith.models.card import Base
from tunesmith.models.json_file import read_json

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"

# Settings of PEFT that change what an adapter computes, and the values with which they do not.
_PLAIN: dict[str, tuple[Any, ...]] = {
    "peft_type": ("LORA",),
    "use_dora": (False,),
    "alpha_pattern": ({}, None),
    "rank_pattern": ({}, None),
    "modules_to_save": ([], None),
    "bias": ("none",),
    "lora_bias": (False,),
    "exclude_modules": (None, []),
    "layers_to_transform": (None,),
    "layer_replication": (None,),
    "target_parameters": (None, []),
    "trainable_token_indices": (None,),
    # The others take a part of the base away first (PiSSA, CorDA, OLoRA, LoftQ).
    "init_lora_weights": (True, False, None, "gaussian", "eva", "orthogonal"),
    "use_qalora": (False,),
    "alora_invocation_tokens": (None,),
}


def is_plain(config: Mapping[str, Any]) -> bool:
    """Whether an adapter_config.json means LoRA or rsLoRA and nothing besides."""
    is_list = isinstance(config.get("target_modules", []), list)
    return is_list and all(config.get(name, plain[0]) in plain for name, plain in _PLAIN.items())


def shared_base(folder: Path) -> Base | None:
    """The base on which an adapter can be computed beside others of it; None where it has to be folded in.

    That is a plain one of a language model of a known family. What it adds to the output head would be
    asked for other rows than the rest.
    """
    config = read_json(folder / CONFIG)
    if not config or not is_plain(config) or "lm_head" in config.get("target_modules", ()):
        return None
    found = card.read(folder)
    if found.kind != "language" or found.base is None or not Path(found.base.folder).is_dir():
        return None
    return found.base if card.read(Path(found.base.folder)).code is None else None


def kind(folder: Path) -> str | None:
    """What kind of adapter, not to be shared, a folder holds; None where it holds none."""
    config = read_json(folder / CONFIG)
    if not config:
        return None
    if config.get("use_dora"):
        return "DoRA"
    said = str(config.get("peft_type"))
    return "LoRA (lm_head)" if said == "LORA" and is_plain(config) else said
