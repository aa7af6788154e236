"""Adapters that the peft library computes: DoRA, IA3, and LoRA with settings of its own for some layers.

They are put into the model itself, so that the rest of Tunesmith sees the model it knows. The library is an
optional part and imported only here.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tunesmith.core.errors import MissingError, ModelError
from tunesmith.models.adapter_config import CONFIG, WEIGHTS
from tunesmith.models.adapters import matching, untie
from tunesmith.models.json_file import read_json

_PREFIX = "base_model.model."
_NAME = "default"
# Kinds that can be folded into the weights of their base.
KINDS = ("LORA", "IA3")
# The first two make the library import a module that the folder names; the last cannot be folded in.
_FORBIDDEN = ("megatron_config", "auto_mapping", "alora_invocation_tokens")


def add_dora(
    model: nn.Module, *, rank: int, alpha: float, dropout: float, targets: Sequence[str] | str
) -> None:
    """Freeze `model` and put weight-decomposed low-rank adapters on it (Liu et al. 2024).

    Raises:
        MissingError: M03 when the peft library is not installed.
        ModelError: M20 when no module matches.
    """
    peft = _library()
    names = _outside_attention(model, matching(model, targets))
    _inject(
        model,
        peft.LoraConfig(
            r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=names, use_dora=True,
            fan_in_fan_out=_lies_transposed(model, names),
        ),
    )  # fmt: skip


def add_ia3(
    model: nn.Module, *, targets: Sequence[str] | Literal["family"], feedforward: Sequence[str]
) -> None:
    """Freeze `model` and scale what some of its linear maps give, or take (Liu et al. 2022).

    `feedforward` are those of `targets` whose inputs are scaled. `family` takes both from what the peft
    library knows of a family: keys, values and the second map of the feed-forward part.

    Raises:
        MissingError: M03 when the peft library is not installed.
        ModelError: M20 when no module matches, or the family is not known.
    """
    peft = _library()
    if targets == "family":
        kind = getattr(model.config, "model_type", "")
        targets = _of_family("IA3_TARGET", kind)
        feedforward = _of_family("IA3_FEEDFORWARD", kind)
    names = _outside_attention(model, matching(model, targets))
    inner = [name for name in names if any(name == f or name.endswith(f".{f}") for f in feedforward)]
    config = peft.IA3Config(
        target_modules=names, feedforward_modules=inner, fan_in_fan_out=_lies_transposed(model, names)
    )
    _inject(model, config)


def is_on(model: nn.Module) -> bool:
    """Whether adapters of the library are on a model."""
    return isinstance(getattr(model, "peft_config", None), dict)


def save(model: Any, folder: Path, *, base: str, task_type: str) -> None:
    """Write adapter_config.json and adapter_model.safetensors as the library would."""
    config = replace(
        model.peft_config[_NAME], task_type=task_type, base_model_name_or_path=base, inference_mode=True
    )
    config.save_pretrained(str(folder))
    # The library writes sets in any order; equal trainings shall write equal bytes.
    said = read_json(folder / CONFIG)
    said |= {name: sorted(value) for name, value in said.items() if name.endswith("_modules") and value}
    (folder / CONFIG).write_text(json.dumps(said, indent=1), encoding="utf-8")
    weights = {f"{_PREFIX}{name}": value.detach().contiguous() for name, value in _weights(model).items()}
    save_file(weights, str(folder / WEIGHTS))


def merged(model: nn.Module, folder: Path) -> nn.Module:
    """`model` with the adapter of a PEFT folder folded into it.

    Raises:
        MissingError: M03 when the peft library is not installed.
        ModelError: M21 when the adapter does not fit this model, or is of a kind that cannot be folded in.
    """
    peft, config = _library(), read_json(folder / CONFIG)
    _known(folder, config)
    try:
        weights = load_file(str(folder / WEIGHTS))
        _untie(model, weights)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            put = peft.PeftModel.from_pretrained(model, str(folder), is_trainable=False)
        found = {_plain(name) for name in _weights(put)}
        if wrong := sorted(found ^ {_plain(name) for name in weights}):
            raise KeyError(f"no place or no weights for {wrong[0]}")
        result: nn.Module = put.merge_and_unload(safe_merge=True)
    except (KeyError, AttributeError, OSError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError("M21", file=folder, reason=str(error).splitlines()[0]) from error
    if hasattr(result, "peft_config"):
        del result.peft_config
    return result


def fold(model: Any) -> None:
    """Fold the adapters that are on a model into its weights."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = [(name, module) for name, module in model.named_modules() if isinstance(module, BaseTunerLayer)]
    for name, layer in layers:
        untie(model, layer.get_base_layer())
        layer.merge(safe_merge=True)
        model.set_submodule(name, layer.get_base_layer())
    del model.peft_config


def _untie(model: Any, weights: Mapping[str, Tensor]) -> None:
    """Give the output head weights of its own if the adapter is for it too."""
    head: Any = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    names = [name for name, module in model.named_modules() if module is head]
    if any(f".{name}." in key for name in names for key in weights):
        untie(model, head)


def _weights(model: nn.Module) -> dict[str, Tensor]:
    """The adapter's tensors; the library would ask a hub whether embeddings were changed, unless told."""
    found: dict[str, Tensor] = _library().get_peft_model_state_dict(
        model, adapter_name=_NAME, save_embedding_layers=False
    )
    return found


def _plain(name: str) -> str:
    return name.removeprefix(_PREFIX)


def _known(folder: Path, config: Mapping[str, Any]) -> None:
    if config.get("peft_type") not in KINDS:
        raise ModelError("M21", file=folder, reason=f"peft_type: {config.get('peft_type')}")
    for name in _FORBIDDEN:
        if config.get(name):
            raise ModelError("M21", file=folder, reason=f"{name}: {config[name]}")
    if not (folder / WEIGHTS).is_file():
        # The library would take a pickle in its place.
        raise ModelError("M08", file=folder, name=folder.name)


def _inject(model: nn.Module, config: Any) -> None:
    model.requires_grad_(requires_grad=False)
    if any(isinstance(module, nn.TransformerEncoderLayer) for module in model.modules()):
        # Its fast path multiplies by the weights of its maps, past anything that is put on them.
        torch.backends.mha.set_fastpath_enabled(False)
    _library().inject_adapter_in_model(config, model, adapter_name=_NAME)


def _outside_attention(model: nn.Module, names: Sequence[str]) -> list[str]:
    """Without the maps inside of torch's own attention, which multiplies by their weights itself.

    Raises:
        ModelError: M20 when none is left.
    """
    within = {f"{n}.out_proj" for n, m in model.named_modules() if isinstance(m, nn.MultiheadAttention)}
    left = [name for name in names if name not in within]
    if not left:
        known = matching(model, "all-linear")
        raise ModelError(
            "M20", targets=", ".join(names), known=", ".join(n for n in known if n not in within)
        )
    return left


def _lies_transposed(model: nn.Module, names: Sequence[str]) -> bool:
    """Whether the maps are GPT-2's, which keep their weights as [in, out]."""
    return not isinstance(model.get_submodule(names[0]), nn.Linear)


def _of_family(table: str, kind: str) -> list[str]:
    from peft.utils import constants

    known = getattr(constants, f"TRANSFORMERS_MODELS_TO_{table}_MODULES_MAPPING")
    if kind not in known:
        raise ModelError("M20", targets=f"family: {kind}", known=", ".join(sorted(known)))
    found: list[str] = list(known[kind])
    return found


def _library() -> Any:
    try:
        import peft
    except ImportError as error:
        raise MissingError("M03", name="DoRA / IA3 / rank_pattern", package="peft", extra="peft") from error
    return peft
