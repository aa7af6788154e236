"""A causal language model as one GGUF file, for llama.cpp and what is built on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np
import torch

from tunesmith.models.export import gguf_layout, gguf_tokens
from tunesmith.models.export.certificate import Precision
from tunesmith.models.export.refusal import no_gguf

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunesmith.models.export.gguf_tokens import Tokens
    from tunesmith.models.language import LanguageModel

_TYPES = {
    "f32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32),
    "f16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
    "q4_0": (gguf.GGMLQuantizationType.Q4_0, gguf.LlamaFileType.MOSTLY_Q4_0),
}
# Numbers that share one scale; rows of another length are kept in 16 bits.
_BLOCK = 32
_OTHER_STOPS = 2  # beside the end of a text: the ends of a turn and of a message


def write(model: LanguageModel, path: Path, *, precision: Precision = "f16") -> None:
    """Write weights, tokenizer, chat template and stop token of a model to `path`.

    Matrices are kept in `precision`; norms, biases and, below 8 bits, the embedding are kept finer.

    Raises:
        ModelError: M76 when llama.cpp has no architecture or tokenizer for it.
    """
    config: dict[str, Any] = model.module.config.to_dict()  # type: ignore[operator, union-attr]
    arch = gguf_layout.architecture(config)
    state: Mapping[str, torch.Tensor] = model.module.state_dict()
    rows = int(model.module.get_input_embeddings().weight.shape[0])  # type: ignore[operator]
    tokens = gguf_tokens.of(model.tokenizer, rows)
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[arch])
    try:
        writer.add_name(model.name)
        writer.add_file_type(_TYPES[precision][1])
        writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
        writer.add_vocab_size(rows)
        _settings(writer, gguf_layout.settings(config))
        _tokens(writer, tokens, model)
        for name, weights in _tensors(state, config, arch):
            kind = _kind(name, weights, precision)
            writer.add_tensor(name, gguf.quants.quantize(weights, kind), raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def _tensors(
    state: Mapping[str, torch.Tensor], config: Mapping[str, Any], arch: gguf.MODEL_ARCH
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Every tensor under GGUF's name; an output head that is the embedding again is left out."""
    layers = config.get("num_hidden_layers") or config["n_layer"]
    for name, weights in state.items():
        if name == "lm_head.weight" and config["tie_word_embeddings"]:
            continue
        if (new := gguf_layout.named(name, arch, layers)) is not None:
            yield new, gguf_layout.turned(name, weights.detach().float().numpy(), config)


def _kind(name: str, weights: NDArray[np.float32], precision: Precision) -> gguf.GGMLQuantizationType:
    """In what precision a tensor is kept."""
    if weights.ndim == 1 or name.startswith("position_embd"):
        return gguf.GGMLQuantizationType.F32
    if precision in ("q8_0", "q4_0") and weights.shape[-1] % _BLOCK:
        return gguf.GGMLQuantizationType.F16
    if precision == "q4_0" and name.startswith(("token_embd", "output")):
        return gguf.GGMLQuantizationType.Q8_0
    return _TYPES[precision][0]


def _settings(writer: gguf.GGUFWriter, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        key = f"{writer.arch}.{name}"
        if isinstance(value, float):
            writer.add_float32(key, value)
        else:
            writer.add_uint32(key, int(value))


def _tokens(writer: gguf.GGUFWriter, tokens: Tokens, model: LanguageModel) -> None:
    writer.add_tokenizer_model(tokens.model)
    writer.add_tokenizer_pre(tokens.words)
    writer.add_token_list(tokens.tokens)
    writer.add_token_types(tokens.kinds)
    if tokens.scores is not None:
        writer.add_token_scores(tokens.scores)
        writer.add_add_space_prefix(tokens.begins_with_space)
    if tokens.merges is not None:
        writer.add_token_merges(tokens.merges)
    _special(writer, model)


def _special(writer: gguf.GGUFWriter, model: LanguageModel) -> None:
    """Where texts begin and answers end, and the chat template."""
    contract, tokenizer = model.contract, model.tokenizer
    bos, eos = (tokenizer.token_to_id(token) if token else None for token in (contract.bos, contract.eos))
    if not contract.stop_ids:
        raise no_gguf("no_stop")
    end = eos if eos is not None else contract.stop_ids[0]
    others = [i for i in contract.stop_ids if i != end]
    if len(others) > _OTHER_STOPS:
        raise no_gguf("many_stops", len(contract.stop_ids))
    writer.add_eos_token_id(end)
    if bos is not None:
        writer.add_bos_token_id(bos)
    for add, stop in zip((writer.add_eot_token_id, writer.add_eom_token_id), others, strict=False):
        add(stop)
    writer.add_pad_token_id(contract.pad_id)
    framed = tokenizer.encode("a").ids
    writer.add_add_bos_token(bool(framed) and framed[0] == bos)
    writer.add_add_eos_token(False)
    writer.add_chat_template(contract.template)
