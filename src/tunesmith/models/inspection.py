"""A model folder looked at before anything of it is loaded: JSON and headers are read, nothing is run."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tunesmith.core.errors import ModelError
from tunesmith.models import headers
from tunesmith.models.headers import Tensor
from tunesmith.models.json_file import read_json
from tunesmith.models.shapes import of_config
from tunesmith.models.tokenizer import FILE as TOKENIZER

_INDEX = "model.safetensors.index.json"
_ADAPTER = "adapter_config.json"
# Formats that can carry code: pickles of torch, Python and joblib.
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle", "*.joblib")
_EMBEDDINGS = (
    "embed_tokens.weight", "wte.weight", "word_embeddings.weight", "tok_embeddings.weight", "shared.weight",
)  # fmt: skip
# Shapes count heads that a file may lack; what is meant here is sizes out of all proportion.
_TOLERANCE = 3
# Quantised checkpoints put up to eight weights into one number.
_PACKED = 8


def inspect(folder: Path) -> None:
    """Refuse a folder that is unsafe or lies about itself; what is missing is told by whoever needs it.

    Raises:
        ModelError: M50 for weights in a pickle alone, M51 for a class that only its own code has, M52 for a
            safetensors file whose header is wrong, M53 for a tokenizer with ids beyond the embedding, M54 for
            an adapter whose matrices do not fit its own rank, M55 for sizes the weights cannot have.
    """
    _no_pickle(folder)
    config = read_json(folder / "config.json")
    _no_code(folder, config)
    tensors = _tensors(folder)
    if (folder / _ADAPTER).exists():
        _fits_rank(folder, tensors)
    elif tensors:
        _plausible(folder, config, tensors)
        _known_ids(folder, tensors)


def no_links_out(folder: Path) -> None:
    """Refuse a folder with links to files outside of it; a snapshot in the hub's cache links to its blobs.

    Raises:
        ModelError: M56 naming the link and where it leads.
    """
    allowed = [folder.resolve()]
    if folder.resolve().parent.name == "snapshots":
        allowed.append(folder.resolve().parent.parent / "blobs")
    for path in folder.iterdir():
        target = path.resolve()
        if path.is_symlink() and not any(target.is_relative_to(root) for root in allowed):
            raise ModelError("M56", file=path, target=target)


def fits_base(folder: Path, base: Path) -> None:
    """Refuse an adapter whose matrices have other widths than the weights of `base` they are meant for.

    Raises:
        ModelError: M54 naming the tensor.
    """
    shapes = {tensor.name: tensor.shape for tensor in _tensors(base)}
    for tensor in _tensors(folder):
        found = re.fullmatch(r"base_model\.model\.(.+)\.lora_([AB])(?:\.default)?\.weight", tensor.name)
        if found is None:
            continue
        shape = _weight_of(found[1], shapes)
        width = tensor.shape[1 if found[2] == "A" else 0] if len(tensor.shape) == 2 else None
        if shape is not None and width not in shape:
            reason = f"{tensor.name} {list(tensor.shape)}, weight there: {list(shape)}"
            raise ModelError("M54", file=folder, base=base.name, reason=reason)


def known_ids(folder: Path, base: Path) -> None:
    """Refuse a tokenizer in `folder` with ids beyond the embedding of the model in `base`.

    Raises:
        ModelError: M53 naming the last id.
    """
    _known_ids(folder, _tensors(base))


def _weight_of(name: str, shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...] | None:
    """The shape of the weight of a module; None where the checkpoint has none of that name.

    A checkpoint may leave out the name of the part that holds the module, or have one more.
    """
    tail = name.partition(".")[2]
    more = (shape for known, shape in shapes.items() if known.endswith(f".{name}.weight"))
    return shapes.get(f"{name}.weight") or shapes.get(f"{tail}.weight") or next(more, None)


def _no_pickle(folder: Path) -> None:
    found = sorted(path for pattern in _PICKLES for path in folder.glob(pattern))
    if found and not any(folder.glob("*.safetensors")):
        raise ModelError("M50", file=found[0])


def _no_code(folder: Path, config: Mapping[str, Any]) -> None:
    """A class that `transformers` has itself is used in place of a folder's own; another cannot be."""
    if "auto_map" in config and not needs_no_code(config):
        names = config.get("architectures") or [config.get("model_type", "?")]
        raise ModelError("M51", file=folder / "config.json", architecture=", ".join(map(str, names)))


def needs_no_code(config: Mapping[str, Any]) -> bool:
    """Whether `transformers` itself has the kind of model and the classes that a config.json names."""
    known, names = _known_names(), config.get("architectures") or []
    return config.get("model_type") in known and all(name in known for name in names)


@cache
def _known_names() -> frozenset[str]:
    """All names in the tables of `transformers`, read as text: importing them takes seconds, and torch."""
    spec = importlib.util.find_spec("transformers")
    roots = list(spec.submodule_search_locations or ()) if spec else []
    files = (path for root in roots for path in (Path(root) / "models" / "auto").glob("*.py"))
    return frozenset(name for path in files for name in re.findall(r'"([\w.-]+)"', path.read_text("utf-8")))


def _tensors(folder: Path) -> list[Tensor]:
    files = sorted(folder.glob("*.safetensors"))
    named = set(map(str, (read_json(folder / _INDEX).get("weight_map") or {}).values()))
    if lost := sorted(named - {path.name for path in files}):
        raise ModelError("M52", file=folder / _INDEX, reason=f"it names {lost[0]}, which is not here")
    return [tensor for path in files for tensor in headers.read(path)]


def _plausible(folder: Path, config: Mapping[str, Any], tensors: Sequence[Tensor]) -> None:
    """Sizes that would take far more memory than the weights could fill are a mistake or an attack."""
    shape = None if read_json(folder / "tunesmith.json").get("code") else of_config(config)
    if shape is None:
        return
    held = sum(tensor.elements for tensor in tensors) * (_PACKED if "quantization_config" in config else 1)
    shared = config.get("model_type") == "albert"  # all its blocks are one
    needed = shape.embeddings if shared else shape.parameters
    if needed > _TOLERANCE * held or shape.layers > len(tensors):
        raise ModelError("M55", file=folder / "config.json", stated=f"{needed:,}", found=f"{held:,}")


def _known_ids(folder: Path, tensors: Sequence[Tensor]) -> None:
    rows = [tensor.shape[0] for tensor in tensors if tensor.name.endswith(_EMBEDDINGS) and tensor.shape]
    last = _last_id(folder / TOKENIZER)
    if rows and last is not None and last >= max(rows):
        raise ModelError("M53", file=folder / TOKENIZER, last=last, rows=max(rows))


def _last_id(path: Path) -> int | None:
    """The largest id of a tokenizer.json; None where there is none that can be read, which others tell."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        vocab = content["model"]["vocab"]
        ids = list(vocab.values()) if isinstance(vocab, dict) else [len(vocab) - 1]
        return max(*ids, *(int(token["id"]) for token in content.get("added_tokens") or ()), -1)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _fits_rank(folder: Path, tensors: Sequence[Tensor]) -> None:
    """A LoRA's small matrices share one rank, unless its settings name others for some modules."""
    said = read_json(folder / _ADAPTER)
    if said.get("peft_type") != "LORA" or said.get("rank_pattern"):
        return
    for tensor in tensors:
        side = 0 if ".lora_A" in tensor.name else 1 if ".lora_B" in tensor.name else None
        if side is not None and (len(tensor.shape) != 2 or tensor.shape[side] != said.get("r")):
            reason = f"{tensor.name} {list(tensor.shape)}; rank {said.get('r')}"
            raise ModelError("M54", file=folder, base=said.get("base_model_name_or_path"), reason=reason)
