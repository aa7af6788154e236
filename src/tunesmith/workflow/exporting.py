"""A model in a folder that needs nothing else, in one of several formats, with the proof that it is the same.

What was written is read back as a stranger would read it and compared with the model; what is beyond the
tolerance of its format is not left behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tunesmith.core import durable, text
from tunesmith.core.errors import ModelError, UsageError
from tunesmith.core.workspace import Workspace
from tunesmith.models import loading
from tunesmith.models.export import certificate
from tunesmith.models.export.certificate import TOLERANCES, Certificate, Precision
from tunesmith.models.hosted import HostedModel
from tunesmith.models.resolve import resolve
from tunesmith.workflow import export_card, export_formats

if TYPE_CHECKING:
    from tunesmith.models.export.certificate import Exported
    from tunesmith.workflow.export_formats import Way

Step = Literal["writing", "comparing"]

PACKAGES = {
    "safetensors": ("safetensors", "transformers", "torch"),
    "gguf": ("gguf", "torch"),
    "onnx": ("onnx", "onnxscript", "onnxruntime", "torch"),
}
"""Formats, and the packages that write and read them."""

PRECISIONS: Mapping[str, tuple[Precision, ...]] = {
    "safetensors": ("f32",),
    "gguf": ("f16", "f32", "q8_0", "q4_0"),
    "onnx": ("f32",),
}
"""In what precision each format keeps weights, its default first."""


def export(
    name: str,
    workspace: Workspace,
    target: Path,
    *,
    to: str = "safetensors",
    precision: Precision | None = None,
    data: Path | None = None,
    lang: str | None = None,
    telling: Callable[[Step], None] = lambda step: None,
) -> Certificate:
    """Write the model into the new folder `target`, with its certificate and a card in the language `lang`.

    With `data`, its metrics on the rows of a file are measured before and after. `telling` hears of each step
    as it begins.

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
    way = export_formats.way(to, resolved, precision)
    with durable.new_folder(target) as folder:
        telling("writing")
        way.write(model, folder)
        telling("comparing")
        made = _certified(model, way, folder, to, precision, data)
        durable.write_json(folder / certificate.FILE, made.as_dict())
        export_card.write(folder, resolved, made, text.language(lang))
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
    model: Exported, way: Way, folder: Path, to: str, precision: Precision, data: Path | None
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
