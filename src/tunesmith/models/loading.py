"""From a folder to a model in memory: safetensors only, no remote code, no network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
import transformers
from safetensors import SafetensorError
from torch import nn
from transformers import AutoModel, AutoModelForCausalLM

from tunesmith.core.errors import ModelError
from tunesmith.models import adapters, card, language, tokenizer
from tunesmith.models.card import Card
from tunesmith.models.classifier import Classifier, TextClassifier
from tunesmith.models.language import LanguageModel
from tunesmith.models.resolve import Resolved, weights_digest

if TYPE_CHECKING:
    from tunesmith.models.tfidf import TfidfClassifier

Model: TypeAlias = "LanguageModel | TextClassifier | TfidfClassifier"

transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def load(resolved: Resolved) -> Model:
    """A model ready for use.

    Raises:
        ModelError: when the folder is damaged, or cannot be used without training (M13).
    """
    folder = resolved.folder
    if folder is None:
        raise ModelError("M13", name=resolved.name)
    found = card.read(folder)
    if found.kind == "tfidf":
        from tunesmith.models import tfidf

        return tfidf.load(folder)
    if found.kind == "language":
        return _language(resolved.name, folder, found)
    if found.kind == "classifier":
        return _classifier(resolved.name, folder, found)
    raise ModelError("M13", name=resolved.name)


def _language(name: str, folder: Path, found: Card) -> LanguageModel:
    module = _with_adapter(folder, found, language_module)
    tokens = tokenizer.load(folder)
    return LanguageModel(
        name=name,
        module=module.eval(),
        tokenizer=tokens,
        contract=language.contract_of(folder, tokens),
        context=found.context,
        task=found.task,
        digest=weights_digest(folder),
    )


def _classifier(name: str, folder: Path, found: Card) -> TextClassifier:
    module = Classifier(_with_adapter(folder, found, encoder_module), len(found.labels))
    module.load_head(folder)
    return TextClassifier(
        name=name,
        module=module.eval(),
        tokenizer=tokenizer.load(folder),
        labels=found.labels,
        context=found.context,
        digest=weights_digest(folder),
    )


def _with_adapter(folder: Path, found: Card, make: Any) -> nn.Module:
    if not (folder / adapters.CONFIG).exists():
        module: nn.Module = make(folder)
        return module
    if found.base is None or not Path(found.base.folder).is_dir():
        raise ModelError("M22", file=folder, base=found.base.name if found.base else "?")
    base = Path(found.base.folder)
    if (digest := weights_digest(base)) != found.base.weights:
        raise ModelError("M07", file=base, expected=found.base.weights, found=digest)
    module = make(base)
    adapters.load(module, folder)
    return adapters.merge(module)


def language_module(folder: Path) -> nn.Module:
    """A causal language model in float32.

    Raises:
        ModelError: M09 when weights are missing or do not fit.
    """
    return _pretrained(AutoModelForCausalLM, folder)


def encoder_module(folder: Path) -> nn.Module:
    """A model that returns hidden states, in float32, without the pooler that sentence-pair training left."""
    module = _pretrained(AutoModel, folder)
    if getattr(module, "pooler", None) is not None:
        module.pooler = None  # type: ignore[assignment]
    return module


def _pretrained(kind: Any, folder: Path) -> nn.Module:
    try:
        module, info = kind.from_pretrained(
            folder,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError("M09", file=folder, reason=str(error).splitlines()[0]) from error
    missing = [key for key in info["missing_keys"] if "pooler" not in key]
    if missing:
        raise ModelError("M09", file=folder, reason=f"missing: {', '.join(sorted(missing)[:5])}")
    result: nn.Module = module
    return result
