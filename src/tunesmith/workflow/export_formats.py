"""How a model is written in each format that it is exported to, and read back as a stranger would read it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.models import card, loading, tokenizer
from tunesmith.models.classifier import TextClassifier
from tunesmith.models.embedder import TextEmbedder
from tunesmith.models.export.certificate import Precision
from tunesmith.models.export.refusal import no_gguf
from tunesmith.models.filler import TextFiller
from tunesmith.models.language import LanguageModel
from tunesmith.models.reader import TextReader
from tunesmith.models.resolve import Resolved
from tunesmith.models.scorer import TextScorer
from tunesmith.models.tagger import TextTagger
from tunesmith.models.translator import Translator

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from tunesmith.models.contract import PromptContract
    from tunesmith.models.export.certificate import Exported
    from tunesmith.models.tfidf import TfidfClassifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a format is written into a folder and read back, with what differs beside the weights."""

    write: Callable[[Exported, Path], None]
    read: Callable[[Exported, Path], tuple[Exported, tuple[str, ...]]]


def way(to: str, resolved: Resolved, precision: Precision) -> Way:
    """The way of the format `to`, in which a model keeps its weights in `precision`."""
    if to == "gguf":
        return _gguf(precision)
    return _onnx() if to == "onnx" else _folder(resolved)


def _folder(resolved: Resolved) -> Way:
    """A folder as `transformers` reads it, without need of a base or a workspace."""

    def write(model: Exported, folder: Path) -> None:
        save = _SAVERS.get(type(model), _itself)
        save(model, folder)
        replace(card.read(Path(str(resolved.folder))), base=None).save(folder)

    def read(model: Exported, folder: Path) -> tuple[Exported, tuple[str, ...]]:
        found: Any = loading.load(Resolved(name=model.name, folder=folder))
        is_other = isinstance(model, LanguageModel) and found.contract.digest != model.contract.digest
        return found, ("contract",) if is_other else ()

    return Way(write=write, read=read)


def _gguf(precision: Precision) -> Way:
    """One file for llama.cpp."""
    from tunesmith.models import gguf_reader
    from tunesmith.models.export import gguf_tokens, gguf_writer, weights

    def write(model: Exported, folder: Path) -> None:
        if not isinstance(model, LanguageModel):
            raise no_gguf("of_kind", model.kind)
        gguf_writer.write(model, folder / _file(model), precision=precision)

    def read(model: Any, folder: Path) -> tuple[Exported, tuple[str, ...]]:
        found = gguf_reader.read(folder / _file(model))
        module = found.module()
        expected = gguf_tokens.of(model.tokenizer, len(found.tokens["tokens"]))
        same = {
            "stop tokens": found.stops() == set(model.contract.stop_ids),
            "chat template": found.template == model.contract.template,
            "vocabulary": found.tokens["tokens"] == expected.tokens,
            "token types": found.tokens["token_type"] == expected.kinds,
            "merges": found.tokens.get("merges") == expected.merges,
            "scores": found.tokens.get("scores") == expected.scores,
        }
        same["weights"] = weights.furthest_row(model.module, module) <= weights.BOUNDS[precision]
        differs = tuple(name for name, is_same in same.items() if not is_same)
        return replace(model, module=module), differs

    return Way(write=write, read=read)


def _onnx() -> Way:
    """A graph for onnxruntime, the tokenizer beside it, and how the two are used."""
    from tunesmith.models.export import onnx_readme, onnx_writer

    def write(model: Exported, folder: Path) -> None:
        onnx_writer.write(model, folder / onnx_writer.FILE)
        contract = model.contract if isinstance(model, LanguageModel) else None
        if contract is not None:
            contract.save(folder)
        _tokenizer(model.tokenizer, folder, model.context, contract)  # type: ignore[union-attr]
        (folder / onnx_readme.FILE).write_text(onnx_readme.of(model), encoding="utf-8")

    def read(model: Any, folder: Path) -> tuple[Exported, tuple[str, ...]]:
        from tunesmith.models.export import onnx_reader

        found = onnx_reader.read(model, folder / onnx_writer.FILE)
        return replace(found, tokenizer=tokenizer.load(folder)), ()

    return Way(write=write, read=read)


def _file(model: Exported) -> str:
    """The name of the file; that of a model may begin with where it comes from, and end with its version."""
    return f"{re.split('[/:]', model.name.partition('@')[0])[-1]}.gguf"


def _language(model: LanguageModel, folder: Path) -> None:
    module: Any = model.module
    # Elsewhere generation has to end at the same tokens as here.
    module.generation_config.eos_token_id = list(model.contract.stop_ids) or None
    module.generation_config.pad_token_id = model.contract.pad_id
    module.save_pretrained(folder)
    _tokenizer(model.tokenizer, folder, model.context, model.contract)
    model.contract.save(folder)


def _headed(model: TextClassifier | TextReader | TextTagger | TextScorer, folder: Path) -> None:
    encoder: Any = model.module.encoder
    encoder.save_pretrained(folder)
    model.module.save_head(folder)
    _tokenizer(model.tokenizer, folder, model.context, None)


def _whole(model: TextEmbedder | TextFiller | Translator, folder: Path) -> None:
    model.module.save_pretrained(folder)  # type: ignore[operator]
    _tokenizer(model.tokenizer, folder, model.context, None)


def _itself(model: TfidfClassifier, folder: Path) -> None:
    model.save(folder)


_SAVERS: Mapping[type, Callable[[Any, Path], None]] = {
    LanguageModel: _language,
    TextClassifier: _headed,
    TextReader: _headed,
    TextTagger: _headed,
    TextScorer: _headed,
    TextEmbedder: _whole,
    Translator: _whole,
    TextFiller: _whole,
}


def _tokenizer(tokens: Tokenizer, folder: Path, context: int, contract: PromptContract | None) -> None:
    special = {"bos_token": contract.bos, "eos_token": contract.eos} if contract else {}
    tokenizer.save(tokens, folder, context=context, special=special)
