"""A GGUF file taken in: float32 weights, tokenizer and chat template in a folder for `transformers`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.core import cache, durable
from tunesmith.core.workspace import Workspace
from tunesmith.models import gguf_tokenizer, tokenizer

if TYPE_CHECKING:
    from tunesmith.models.gguf_reader import Gguf

_ROLES = {"bos_token": "bos", "eos_token": "eos", "pad_token": "padding", "unk_token": "unknown"}


def is_gguf(path: Path) -> bool:
    """Whether a path is a file that calls itself GGUF."""
    return path.is_file() and path.suffix == ".gguf"


def unpacked(path: Path, workspace: Workspace) -> Path:
    """The folder of the workspace with what a file holds.

    Raises:
        ModelError: M77 when it is damaged, or its architecture, positions or tokenizer are not ones that are
            known.
    """
    from tunesmith.models import gguf_reader  # torch

    target = workspace.models / cache.key(gguf=durable.sha256(path))[:24]
    if not durable.is_valid(target):
        found = gguf_reader.read(path)
        tokens = gguf_tokenizer.of(found)
        module: Any = found.module()
        with durable.new_folder(target) as folder:
            _generation(module, found)
            module.save_pretrained(folder)
            special = {role: gguf_tokenizer.token(found, name) for role, name in _ROLES.items()}
            context = int(module.config.max_position_embeddings)
            tokenizer.save(tokens, folder, context=context, special=special)
            if found.template:
                (folder / "chat_template.jinja").write_text(found.template, encoding="utf-8")
    return target


def _generation(module: Any, found: Gguf) -> None:
    """Where answers begin and end, as the file says."""
    for owner in (module.generation_config, module.config):
        owner.bos_token_id = found.tokens.get("bos_token_id")
        owner.eos_token_id = sorted(found.stops()) or None
        owner.pad_token_id = found.tokens.get("padding_token_id")


def lineage(path: Path) -> dict[str, Any]:
    """Where a release came from."""
    return {"added": str(path.resolve()), "gguf": durable.sha256(path)}
