"""A model as a folder that needs nothing else: adapters folded in, ready for `transformers`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.core import durable
from tunesmith.core.errors import ModelError, UsageError
from tunesmith.core.workspace import Workspace
from tunesmith.models import card, loading, tokenizer
from tunesmith.models.classifier import TextClassifier
from tunesmith.models.hosted import HostedModel
from tunesmith.models.language import LanguageModel
from tunesmith.models.resolve import resolve
from tunesmith.models.translator import Translator

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from tunesmith.models.contract import PromptContract


def export(name: str, workspace: Workspace, target: Path) -> Path:
    """Write the model into the new folder `target`.

    Raises:
        UsageError: U03 when `target` exists.
        NotFoundError, ModelError: when there is no such model, or it cannot be used.
    """
    if target.exists():
        raise UsageError("U03", file=target)
    resolved = resolve(name, workspace)
    model = loading.load(resolved)
    if isinstance(model, HostedModel):
        raise ModelError("M14", name=name, wanted="export", task="ask, eval, eval.against")
    own = replace(card.read(Path(str(resolved.folder))), base=None)
    with durable.new_folder(target) as folder:
        if isinstance(model, LanguageModel):
            _language(model, folder)
        elif isinstance(model, TextClassifier):
            _classifier(model, folder)
        elif isinstance(model, Translator):
            model.module.save_pretrained(folder)  # type: ignore[operator]
            _tokenizer(model.tokenizer, folder, model.context, None)
        else:
            model.save(folder)
        own.save(folder)
    return target


def _language(model: LanguageModel, folder: Path) -> None:
    module: Any = model.module
    # Elsewhere generation has to end at the same tokens as here.
    module.generation_config.eos_token_id = list(model.contract.stop_ids) or None
    module.generation_config.pad_token_id = model.contract.pad_id
    module.save_pretrained(folder)
    _tokenizer(model.tokenizer, folder, model.context, model.contract)
    model.contract.save(folder)
    (folder / "chat_template.jinja").write_text(model.contract.template, encoding="utf-8")


def _classifier(model: TextClassifier, folder: Path) -> None:
    encoder: Any = model.module.encoder
    encoder.save_pretrained(folder)
    model.module.save_head(folder)
    _tokenizer(model.tokenizer, folder, model.context, None)


def _tokenizer(tokens: Tokenizer, folder: Path, context: int, contract: PromptContract | None) -> None:
    special = {"bos_token": contract.bos, "eos_token": contract.eos} if contract else {}
    tokenizer.save(tokens, folder, context=context, special=special)
