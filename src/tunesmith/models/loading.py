"""From a folder to a model in memory: safetensors only, no remote code, no network.

What a kind of model needs is imported when one is loaded: a server is ready sooner by what it does without.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from tunesmith.core.errors import ModelError
from tunesmith.models import adapter_config, bio, card, inspection, language, library, tokenizer
from tunesmith.models.card import Card, Kind
from tunesmith.models.language import LanguageModel
from tunesmith.models.resolve import Resolved, weights_digest

if TYPE_CHECKING:
    from torch import nn

    from tunesmith.models.classifier import TextClassifier
    from tunesmith.models.embedder import TextEmbedder
    from tunesmith.models.filler import TextFiller
    from tunesmith.models.heads import Headed
    from tunesmith.models.hosted import HostedModel
    from tunesmith.models.reader import TextReader
    from tunesmith.models.scorer import TextScorer
    from tunesmith.models.tagger import TextTagger
    from tunesmith.models.tfidf import TfidfClassifier
    from tunesmith.models.translator import Translator

Model: TypeAlias = (
    "LanguageModel | TextClassifier | TfidfClassifier | TextTagger | TextReader | TextEmbedder | TextScorer"
    " | TextFiller | Translator | HostedModel"
)

_HIDDEN_STATES = "AutoModel"


def load(resolved: Resolved) -> Model:
    """A model ready for use.

    Raises:
        ModelError: when the folder is damaged, or cannot be used without training (M13).
    """
    if resolved.hosted is not None:
        return resolved.hosted
    folder = resolved.folder
    if folder is None:
        raise ModelError("M13", name=resolved.name)
    found = card.read(folder)
    if found.kind not in _LOADERS:
        raise ModelError("M13", name=resolved.name)
    return _LOADERS[found.kind](resolved.name, folder, found)


def _tfidf(name: str, folder: Path, found: Card) -> TfidfClassifier:
    from tunesmith.models import tfidf

    model = tfidf.load(folder)
    model.name = name
    return model


def _language(name: str, folder: Path, found: Card) -> LanguageModel:
    with ThreadPoolExecutor(1) as beside:
        digest = beside.submit(weights_digest, folder)  # of a large model this takes seconds
        module = language_module(folder)
    tokens = tokenizer.load(folder)
    contract = language.contract_of(folder, tokens)
    return LanguageModel(
        name=name,
        module=module.eval(),
        tokenizer=tokens,
        contract=contract,
        context=contract.context or found.context,
        task=found.task,
        digest=digest.result(),
    )


def _classifier(name: str, folder: Path, found: Card) -> TextClassifier:
    from tunesmith.models.classifier import Classifier, TextClassifier

    module = Classifier(encoder_module(folder), len(found.labels))
    module.load_head(folder)
    return TextClassifier(
        name=name,
        module=module.eval(),
        tokenizer=tokenizer.load(folder),
        labels=found.labels,
        several=found.several,
        context=found.context,
        digest=weights_digest(folder),
    )


def _embedder(name: str, folder: Path, found: Card) -> TextEmbedder:
    from tunesmith.models.embedder import TextEmbedder

    return TextEmbedder(
        name=name,
        module=encoder_module(folder).eval(),
        tokenizer=tokenizer.load(folder),
        context=found.context,
        task=found.task,
        digest=weights_digest(folder),
    )


def _headed(folder: Path, outputs: int) -> Headed:
    from tunesmith.models.heads import Headed

    module = Headed(encoder_module(folder), outputs)
    module.load_head(folder)
    return module.eval()


def _reader(name: str, folder: Path, found: Card) -> TextReader:
    from tunesmith.models.reader import TextReader

    return TextReader(
        name=name,
        module=_headed(folder, 2),
        tokenizer=tokenizer.load(folder),
        labels=found.labels,
        context=found.context,
        digest=weights_digest(folder),
    )


def _tagger(name: str, folder: Path, found: Card) -> TextTagger:
    from tunesmith.models.tagger import TextTagger

    return TextTagger(
        name=name,
        module=_headed(folder, bio.count(found.labels)),
        tokenizer=tokenizer.load(folder),
        labels=found.labels,
        context=found.context,
        digest=weights_digest(folder),
    )


def _scorer(name: str, folder: Path, found: Card) -> TextScorer:
    from tunesmith.models.scorer import Scorer, TextScorer

    module = Scorer(encoder_module(folder))
    module.load_head(folder)
    return TextScorer(
        name=name,
        module=module.eval(),
        tokenizer=tokenizer.load(folder),
        context=found.context,
        task=found.task,
        digest=weights_digest(folder),
    )


def _filler(name: str, folder: Path, found: Card) -> TextFiller:
    from tunesmith.models.filler import TextFiller

    return TextFiller(
        name=name,
        module=masked_module(folder).eval(),
        tokenizer=tokenizer.load(folder),
        context=found.context,
        digest=weights_digest(folder),
    )


def _translator(name: str, folder: Path, found: Card) -> Translator:
    from tunesmith.models.translator import Translator

    return Translator(
        name=name,
        module=seq2seq_module(folder).eval(),
        tokenizer=tokenizer.load(folder),
        context=found.context,
        task=found.task,
        digest=weights_digest(folder),
    )


_LOADERS: Mapping[Kind, Callable[[str, Path, Card], Model]] = {
    "tfidf": _tfidf,
    "language": _language,
    "classifier": _classifier,
    "tagger": _tagger,
    "reader": _reader,
    "embedder": _embedder,
    "scorer": _scorer,
    "masked": _filler,
    "encoder_decoder": _translator,
}


def language_module(folder: Path) -> nn.Module:
    """A causal language model in float32; an adapter is folded into its base.

    Raises:
        ModelError: M09 when weights are missing or do not fit; M07, M21 or M22 when an adapter's base was
            changed, is another model or is gone; M46 or M47 when its class is not here as it was.
    """
    return _module("AutoModelForCausalLM", folder)


def seq2seq_module(folder: Path) -> nn.Module:
    """An encoder-decoder in float32; otherwise as `language_module`."""
    return _module("AutoModelForSeq2SeqLM", folder)


def masked_module(folder: Path) -> nn.Module:
    """An encoder with a head that says hidden tokens, in float32; otherwise as `language_module`."""
    return _module("AutoModelForMaskedLM", folder)


def encoder_module(folder: Path) -> nn.Module:
    """A model that returns hidden states, in float32, without the pooler that sentence-pair training left."""
    module = _module(_HIDDEN_STATES, folder)
    if getattr(module, "pooler", None) is not None:
        module.pooler = None  # type: ignore[assignment]
    return module


def _module(kind: str, folder: Path) -> nn.Module:
    """A model of one of the automatic classes of `transformers`."""
    if not (folder / adapter_config.CONFIG).exists():
        return _pretrained(kind, folder)
    from tunesmith.models import adapter_folder

    return adapter_folder.applied(_module(kind, _base(folder)), folder)


def _base(folder: Path) -> Path:
    """Where the model lies that an adapter belongs to."""
    base = card.read(folder).base
    if base is None or not Path(base.folder).is_dir():
        raise ModelError("M22", file=folder, base=base.name if base else "?")
    if (digest := weights_digest(Path(base.folder))) != base.weights:
        raise ModelError("M07", file=base.folder, expected=base.weights, found=digest)
    return Path(base.folder)


def _pretrained(kind: str, folder: Path) -> nn.Module:
    inspection.inspect(folder)
    transformers = library.transformers()
    from tunesmith.models import own

    if (code := card.read(folder).code) is None:
        module: nn.Module = _from_pretrained(getattr(transformers, kind), folder)
        return module
    found = own.kind_of(folder, code)
    if issubclass(found, transformers.PreTrainedModel):
        result: nn.Module = own.marked(_from_pretrained(found, folder), code)
        return result
    return own.load(found, folder, code, as_encoder=kind == _HIDDEN_STATES)


def _from_pretrained(kind: Any, folder: Path) -> Any:
    import torch
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError

    try:
        module, info = kind.from_pretrained(
            folder,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    # A setting of a wrong kind is one of the first two; a library that the weights need is an ImportError.
    except (
        StrictDataclassError, TypeError, ImportError, OSError, ValueError, KeyError, RuntimeError,
        SafetensorError,
    ) as error:  # fmt: skip
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError("M09", file=folder, reason=reason) from error
    missing = [key for key in info["missing_keys"] if "pooler" not in key]
    if missing:
        raise ModelError("M09", file=folder, reason=f"missing: {', '.join(sorted(missing)[:5])}")
    return module
