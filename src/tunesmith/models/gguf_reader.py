"""A GGUF file read back: configuration, weights in float32, tokens, and what is said about prompts.

It knows nothing of the model that a file was written from, so that what is read proves what was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np
import torch

from tunesmith.core.errors import ModelError
from tunesmith.models.export import gguf_layout

if TYPE_CHECKING:
    from torch import nn

_KINDS = {"llama": "llama", "qwen2": "qwen2", "qwen3": "qwen3", "gpt2": "gpt2"}
_PREFIX = "tokenizer.ggml."
_STOPS = ("eos_token_id", "eot_token_id", "eom_token_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gguf:
    """What a file holds: `tokens` is everything below `tokenizer.ggml.`, `template` the chat template."""

    config: dict[str, Any]
    weights: dict[str, torch.Tensor]
    tokens: dict[str, Any]
    template: str | None

    def stops(self) -> set[int]:
        """The tokens at which an answer ends."""
        return {self.tokens[name] for name in _STOPS if name in self.tokens}

    def module(self) -> nn.Module:
        """The model of `transformers` with these weights, in float32.

        Raises:
            ModelError: M77 when they do not fit its configuration.
        """
        from transformers import AutoConfig, AutoModelForCausalLM

        values = dict(self.config)
        config = AutoConfig.for_model(values.pop("model_type"), **values)
        module: nn.Module = AutoModelForCausalLM.from_config(config, dtype=torch.float32)  # type: ignore[no-untyped-call]
        try:
            missing, unexpected = module.load_state_dict(self.weights, strict=False)
        except RuntimeError as error:
            raise ModelError("M77", reason=str(error).splitlines()[-1].strip()) from error
        missing = [name for name in missing if not (name == "lm_head.weight" and config.tie_word_embeddings)]
        if missing or unexpected:
            raise ModelError("M77", reason=", ".join([*missing, *unexpected][:5]))
        module.tie_weights()  # type: ignore[operator]
        return module.eval()


def read(path: Path) -> Gguf:
    """Read a file of an architecture in `gguf_layout.ARCHITECTURES`.

    Raises:
        ModelError: M77 when it is damaged, or of another architecture.
    """
    try:
        reader = gguf.GGUFReader(path)
        values = {name: field.contents() for name, field in reader.fields.items()}
        kind = _KINDS[values["general.architecture"]]
        return _of(reader, values, kind)
    except (OSError, ValueError, KeyError, IndexError, TypeError, OverflowError) as error:
        raise ModelError("M77", reason=f"{path.name}: {type(error).__name__}: {error}") from error


def _of(reader: gguf.GGUFReader, values: dict[str, Any], kind: str) -> Gguf:
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    own = {
        name.removeprefix(f"{kind}."): value for name, value in values.items() if name.startswith(f"{kind}.")
    }
    if found := _beyond(own):
        raise ModelError("M77", reason=f"it has {found}, which is not read")
    tied = "output.weight" not in tensors
    rows = int(tensors["token_embd.weight"].shape[1])
    config = gguf_layout.config_of(kind, own, rows, tied=tied)
    if kind != "gpt2":
        config["attention_bias"] = "blk.0.attn_q.bias" in tensors
    names = gguf_layout.names_back(gguf_layout.ARCHITECTURES[kind], own["block_count"], _known(config))
    weights = {
        names[name]: torch.from_numpy(_read(names[name], tensor, config)) for name, tensor in tensors.items()
    }
    tokens = {n.removeprefix(_PREFIX): v for n, v in values.items() if n.startswith(_PREFIX)}
    return Gguf(config=config, weights=weights, tokens=tokens, template=values.get("tokenizer.chat_template"))


def _beyond(own: dict[str, Any]) -> str | None:
    """A setting that would change what is computed, and that the layouts do not have."""
    if own.get("rope.scaling.type", "none") != "none":
        return "rope.scaling.type"
    window = own.get("attention.sliding_window")
    is_short = window is not None and window < own["context_length"]
    return "attention.sliding_window" if is_short else "expert_count" if own.get("expert_count") else None


def _known(config: dict[str, Any]) -> list[str]:
    """The names of all tensors of a model of this configuration, whose weights are not made."""
    from transformers import AutoConfig, AutoModelForCausalLM

    values = {**config, "tie_word_embeddings": False}
    with torch.device("meta"):
        config_of = AutoConfig.for_model(values.pop("model_type"), **values)
        module = AutoModelForCausalLM.from_config(config_of)  # type: ignore[no-untyped-call]
    return list(module.state_dict())


def _read(
    name: str, tensor: gguf.ReaderTensor, config: dict[str, Any]
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """One tensor as `transformers` has it."""
    plain = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
    shape = tuple(int(length) for length in reversed(tensor.shape))
    return np.array(gguf_layout.turned_back(name, plain.reshape(shape), config))
