"""A model in a folder that needs nothing else, in one of several formats, with the proof that it is the same.

What was written is read back as a stranger would read it and compared with the model; what is beyond the
tolerance of its format is not left behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.core import durable
from tunesmith.core.errors import ModelError, UsageError
from tunesmith.core.workspace import Workspace
from tunesmith.models import card, loading, tokenizer
from tunesmith.models.classifier import TextClassifier
from tunesmith.models.embedder import TextEmbedder
from tunesmith.models.export import certificate
from tunesmith.models.export.certificate import TOLERANCES, Certificate, Precision
from tunesmith.models.filler import TextFiller
from tunesmith.models.hosted import HostedModel
from tunesmith.models.language import LanguageModel
from tunesmith.models.reader import TextReader
from tunesmith.models.resolve import Resolved, resolve
from tunesmith.models.scorer import TextScorer
from tunesmith.models.tagger import TextTagger
from tunesmith.models.translator import Translator

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from tunesmith.models.contract import PromptContract
    from tunesmith.models.export.certificate import Exported
    from tunesmith.models.tfidf import TfidfClassifier

PACKAGES = {"safetensors": ("safetensors", "transformers", "torch"), "gguf": ("gguf", "torch")}
"""Formats, and the packages that write and read them."""

PRECISIONS: Mapping[str, tuple[Precision, ...]] = {
    "safetensors": ("f32",),
    "gguf": ("f16", "f32", "q8_0", "q4_0"),
}
"""In what precision each format keeps weights, its default first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How a format is written into a folder and read back, with what differs beside the weights."""

    write: Callable[[Exported, Path], None]
    read: Callable[[Exported, Path], tuple[Exported, tuple[str, ...]]]


def export(
    name: str,
    workspace: Workspace,
    target: Path,
    *,
    to: str = "safetensors",
    precision: Precision | None = None,
    data: Path | None = None,
) -> Certificate:
    """Write the model into the new folder `target`, with its certificate.

    With `data`, its metrics on the rows of a file are measured before and after.

    Raises:
        UsageError: U03 when `target` exists; U11 when the format is not written in that precision.
        NotFoundError, ModelError: when there is no such model, or it cannot be used; M75 when the export does
            not say the same, M76 when the format has no place for the model. Nothing is left then.
    """
    precision = precision or PRECISIONS[to][0]
    if precision not in PRECISIONS[to]:
        raise UsageError("U11", precision=precision, format=to, known=", ".join(PRECISIONS[to]))
    if target.exists():
        raise UsageError("U03", file=target)
    resolved = resolve(name, workspace)
    model = loading.load(resolved)
    if isinstance(model, HostedModel):
        raise ModelError("M14", name=name, wanted="export", task="ask, eval, eval.against")
    _must_fold(model)
    way = _gguf(precision) if to == "gguf" else _folder(resolved)
    with durable.new_folder(target) as folder:
        way.write(model, folder)
        made = _certified(model, way, folder, to, precision, data)
        durable.write_json(folder / certificate.FILE, made.as_dict())
    return made


def _must_fold(model: Exported) -> None:
    """Whether all of a model is in its weights.

    Raises:
        ModelError: M58 when it has a prompt beside them.
    """
    from tunesmith.models import soft_prompt

    module = getattr(model, "module", None)
    backbone = getattr(module, "encoder", module)
    if backbone is not None and soft_prompt.of(backbone):
        raise ModelError("M58", name=model.name)


def _certified(
    model: Exported, way: _Way, folder: Path, to: str, precision: Precision, data: Path | None
) -> Certificate:
    """What the folder holds, compared with the model.

    Raises:
        ModelError: M75 when it does not say the same.
    """
    exported, differs = way.read(model, folder)
    found = certificate.measure(model, exported)
    bounds = TOLERANCES[precision]
    return certificate.hold(
        Certificate(
            model=model.name,
            digest=model.digest,
            format=to,
            precision=precision,
            texts=len(certificate.prompts()),
            tokens=found.compared,
            agreement=found.agreement,
            logits=found.logits,
            perplexity=found.perplexity,
            tolerance=bounds,
            scores=_scores(model, exported, data) if data else {},
            versions={package: version(package) for package in PACKAGES[to]},
            faults=(*differs, *certificate.faults(found, bounds)),
        )
    )


def _scores(model: Exported, exported: Exported, data: Path) -> dict[str, tuple[float, float]]:
    """The metrics of both on the rows of a file."""
    from tunesmith.workflow.evaluate import scores_of

    before, after = (scores_of(either, data) for either in (model, exported))
    return {name: (value, after[name]) for name, value in before.items()}


def _folder(resolved: Resolved) -> _Way:
    """A folder as `transformers` reads it, without need of a base or a workspace."""

    def write(model: Exported, folder: Path) -> None:
        save = _SAVERS.get(type(model), _itself)
        save(model, folder)
        replace(card.read(Path(str(resolved.folder))), base=None).save(folder)

    def read(model: Exported, folder: Path) -> tuple[Exported, tuple[str, ...]]:
        found: Any = loading.load(Resolved(name=model.name, folder=folder))
        is_other = isinstance(model, LanguageModel) and found.contract.digest != model.contract.digest
        return found, ("contract",) if is_other else ()

    return _Way(write=write, read=read)


def _gguf(precision: Precision) -> _Way:
    """One file for llama.cpp."""
    from tunesmith.models import gguf_reader
    from tunesmith.models.export import gguf_tokens, gguf_writer

    def write(model: Exported, folder: Path) -> None:
        if not isinstance(model, LanguageModel):
            raise ModelError("M76", reason=f"it is a {model.kind}; GGUF files are written of decoders")
        gguf_writer.write(model, folder / _file(model), precision=precision)

    def read(model: Any, folder: Path) -> tuple[Exported, tuple[str, ...]]:
        found = gguf_reader.read(folder / _file(model))
        expected = gguf_tokens.of(model.tokenizer, len(found.tokens["tokens"]))
        same = {
            "stop tokens": found.stops() == set(model.contract.stop_ids),
            "chat template": found.template == model.contract.template,
            "vocabulary": found.tokens["tokens"] == expected.tokens,
            "token types": found.tokens["token_type"] == expected.kinds,
            "merges": found.tokens.get("merges") == expected.merges,
            "scores": found.tokens.get("scores") == expected.scores,
        }
        differs = tuple(name for name, is_same in same.items() if not is_same)
        return replace(model, module=found.module()), differs

    return _Way(write=write, read=read)


def _file(model: Exported) -> str:
    return f"{model.name.partition('@')[0]}.gguf"


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
