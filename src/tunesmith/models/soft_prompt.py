"""Prompt tuning (Lester et al. 2021): learned vectors before every text, in the format of the PEFT library.

The vectors stand before the embeddings of the first tokens that a model reads and are cut off what it gives,
so that whoever calls the model sees only tokens. Their keys and values stay in the cache of a decoder.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tunesmith.core.errors import ModelError
from tunesmith.models.adapter_config import CONFIG, WEIGHTS
from tunesmith.models.json_file import read_json

_TENSOR = "prompt_embeddings"


class SoftPrompt(nn.Module):
    """`vectors` [length, hidden], and how they are put before what a model reads."""

    def __init__(self, vectors: Tensor) -> None:
        super().__init__()
        self.vectors = nn.Parameter(vectors)

    def before(self, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The call of a model with the vectors before its tokens, unless its cache has them already."""
        kept = kwargs.get("past_key_values")
        if kept is not None and kept.get_seq_length() > 0:
            return args, kwargs
        given = dict(kwargs)
        ids: Tensor = args[0] if args else given["input_ids"]  # [batch, tokens]
        own = self.vectors.expand(len(ids), -1, -1)
        embedded = model.get_input_embeddings()(ids)
        given |= {"input_ids": None, "inputs_embeds": torch.cat([own.to(embedded.dtype), embedded], dim=1)}
        if (mask := given.get("attention_mask")) is not None:
            given["attention_mask"] = torch.cat([mask.new_ones(own.shape[:2]), mask], dim=1)
        return (), given

    def after(self, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        """What a model gives for its tokens alone."""
        if kwargs.get("inputs_embeds") is not None:
            output.last_hidden_state = output.last_hidden_state[:, len(self.vectors) :]
        return output


def add(model: nn.Module, *, length: int) -> None:
    """Freeze `model` and put `length` vectors before what it reads, at first those of tokens drawn at random.

    Raises:
        ModelError: M57 when the model takes no embeddings, or its positions leave no room for texts.
    """
    embeddings = _embeddings(model)
    drawn = torch.randint(len(embeddings), (length,))
    model.requires_grad_(requires_grad=False)
    _put(model, embeddings[drawn].detach().clone())


def of(model: nn.Module) -> SoftPrompt | None:
    """The prompt that is on a model, if there is one."""
    found = getattr(model, "soft_prompt", None)
    return found if isinstance(found, SoftPrompt) else None


def room(model: nn.Module) -> int | None:
    """How many tokens of text a model has positions for beside its prompt; None where nothing limits them."""
    found: int | None = getattr(model.config, "max_position_embeddings", None)
    return found if of(model) else None


def save(model: nn.Module, folder: Path, *, base: str, task_type: str) -> None:
    """Write adapter_config.json and adapter_model.safetensors."""
    prompt, config = cast("SoftPrompt", of(model)), model.config
    said = {
        "peft_type": "PROMPT_TUNING",
        "task_type": task_type,
        "base_model_name_or_path": base,
        "num_virtual_tokens": prompt.vectors.shape[0],
        "token_dim": prompt.vectors.shape[1],
        "num_transformer_submodules": 1,
        "num_layers": config.num_hidden_layers,  # type: ignore[union-attr]
        "num_attention_heads": config.num_attention_heads,  # type: ignore[union-attr]
        "prompt_tuning_init": "RANDOM",
        "inference_mode": True,
    }
    (folder / CONFIG).write_text(json.dumps(said, indent=1), encoding="utf-8")
    save_file({_TENSOR: prompt.vectors.detach().contiguous()}, str(folder / WEIGHTS))


def load(model: nn.Module, folder: Path) -> None:
    """Put the prompt of a PEFT folder onto `model`.

    Raises:
        ModelError: M21 when it does not fit this model, M57 when the model cannot have one.
    """
    try:
        vectors = load_file(str(folder / WEIGHTS))[_TENSOR]
    except (KeyError, OSError, SafetensorError) as error:
        raise ModelError("M21", file=folder, reason=str(error)) from error
    stated, width = read_json(folder / CONFIG).get("num_virtual_tokens"), _embeddings(model).shape[1]
    if vectors.ndim != 2 or tuple(vectors.shape) != (stated, width):
        shown = f"{_TENSOR} {list(vectors.shape)}; expected: [{stated}, {width}]"
        raise ModelError("M21", file=folder, reason=shown)
    _put(model, vectors.float())


def _embeddings(model: nn.Module) -> Tensor:
    """The embedding matrix [tokens, hidden] of a model whose inner part takes embeddings."""
    inner: Any = getattr(model, "base_model", model)
    takes = "inputs_embeds" in inspect.signature(inner.forward).parameters
    if not takes or getattr(inner.config, "is_encoder_decoder", False):
        raise ModelError("M57", model=type(model).__name__, reason="inputs_embeds")
    found: Tensor = inner.get_input_embeddings().weight
    return found


def _put(model: nn.Module, vectors: Tensor) -> None:
    inner: Any = getattr(model, "base_model", model)
    config: Any = model.config
    positions = getattr(config, "max_position_embeddings", None)
    if positions is not None:
        if positions <= 2 * len(vectors):
            raise ModelError(
                "M57", model=type(model).__name__, reason=f"max_position_embeddings: {positions}"
            )
        # The vectors take places that texts cannot have then.
        config.max_position_embeddings = positions - len(vectors)
    prompt = SoftPrompt(vectors)
    model.soft_prompt = prompt
    inner.register_forward_pre_hook(prompt.before, with_kwargs=True)
    inner.register_forward_hook(prompt.after, with_kwargs=True)
