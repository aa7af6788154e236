"""Whether an exported model, read back, still says what it said: measured, and held to a tolerance.

Both models are asked the same fixed texts in Chinese and English. A language model continues them greedily;
the exported one must, at every place of what was written, find the same token the likeliest.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import torch

from tunesmith.core.errors import ModelError
from tunesmith.models.classifier import TextClassifier
from tunesmith.models.decoder import Decoder, run
from tunesmith.models.embedder import TextEmbedder
from tunesmith.models.filler import TextFiller
from tunesmith.models.language import LanguageModel, prompt_ids
from tunesmith.models.reader import TextReader
from tunesmith.models.scorer import TextScorer
from tunesmith.models.tagger import TextTagger
from tunesmith.models.translator import Translator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunesmith.models.tfidf import TfidfClassifier

    Exported: TypeAlias = (
        LanguageModel
        | TextClassifier
        | TfidfClassifier
        | TextTagger
        | TextReader
        | TextEmbedder
        | TextFiller
        | TextScorer
        | Translator
    )
    Numbers: TypeAlias = NDArray[np.floating[Any]]

Precision = Literal["f32", "f16", "q8_0", "q4_0"]
"""How weights are kept: 32 or 16 bits, or blocks of 8 or 4 bits with a scale."""

FILE = "certificate.json"
_WRITTEN = 24  # tokens that each text is continued by


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """The least share of equal tokens or labels, and the most that logits and perplexity may change.

    Perplexity relative to what it was; None bounds nothing.
    """

    agreement: float
    logits: float | None = None
    perplexity: float | None = None


TOLERANCES: Mapping[Precision, Tolerance] = {
    "f32": Tolerance(agreement=1.0, logits=1e-3, perplexity=1e-3),
    "f16": Tolerance(agreement=0.99, perplexity=0.01),
    "q8_0": Tolerance(agreement=0.95, perplexity=0.03),
    "q4_0": Tolerance(agreement=0.6, perplexity=0.3),
}
"""By the precision of the exported weights. Rounding to few bits costs small models most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What was compared and found. `agreement` is a share, `logits` the largest absolute difference.

    `perplexity` is that of the original on what it wrote, and of the exported model on the same; `scores` are
    those of both on the rows of an evaluation set. `faults` is empty where the export is as good.
    """

    model: str
    digest: str
    format: str
    precision: str
    texts: int
    tokens: int
    agreement: float
    logits: float | None
    perplexity: tuple[float, float] | None
    tolerance: Tolerance
    scores: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    versions: Mapping[str, str] = field(default_factory=dict[str, str])
    faults: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The form of certificate.json."""
        return {**asdict(self), "passed": not self.faults}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """`compared` tokens or texts, of which `equal` are; the largest difference; negative log-likelihoods."""

    compared: int
    equal: int
    logits: float | None = None
    nll: tuple[float, float] | None = None

    @property
    def agreement(self) -> float:
        """The share that is equal."""
        return self.equal / self.compared if self.compared else 1.0

    @property
    def perplexity(self) -> tuple[float, float] | None:
        """Of both models; infinite where a token was held impossible."""
        if self.nll is None:
            return None
        first, second = (math.exp(min(nll / max(self.compared, 1), 700.0)) for nll in self.nll)
        return first, second


@cache
def prompts() -> tuple[str, ...]:
    """The fixed texts."""
    text = files("tunesmith.models.export").joinpath("prompts.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["texts"])


def measure(original: Exported, exported: Exported) -> Measured:
    """Ask both models the fixed texts."""
    if isinstance(original, LanguageModel) and isinstance(exported, LanguageModel):
        return _written(original, exported)
    if isinstance(original, Translator) and isinstance(exported, Translator):
        pairs = zip(original.translate(prompts()), exported.translate(prompts()), strict=True)
        return Measured(compared=len(prompts()), equal=sum(one == other for one, other in pairs))
    if isinstance(original, TextEmbedder) and isinstance(exported, TextEmbedder):
        one, other = (model.embed(prompts()) for model in (original, exported))
        return _compared(one, other, (one @ one.T, other @ one.T))
    if isinstance(original, TextReader) and isinstance(exported, TextReader):
        return _answered(original, exported)
    if isinstance(original, TextTagger) and isinstance(exported, TextTagger):
        return _found(original, exported)
    if isinstance(original, TextFiller) and isinstance(exported, TextFiller):
        return _filled(original, exported)
    if isinstance(original, TextScorer) and isinstance(exported, TextScorer):
        one, other = (model.score(prompts())[:, None] for model in (original, exported))
        return _compared(one, other, (one, other))
    one, other = (model.predict(prompts()) for model in (original, exported))  # type: ignore[union-attr]
    return _compared(one, other, (one, other))


def _compared(one: Numbers, other: Numbers, choices: tuple[Numbers, Numbers]) -> Measured:
    """Numbers of both models for each text, and what each would choose among."""
    equal = int((choices[0].argmax(axis=1) == choices[1].argmax(axis=1)).sum())
    return Measured(compared=len(one), equal=equal, logits=float(np.abs(one - other).max()))


def _answered(original: TextReader, exported: TextReader) -> Measured:
    texts = prompts()[1:] + prompts()[:1]
    one, other = (model.answer(prompts(), texts) for model in (original, exported))
    equal = sum(a.text == b.text for a, b in zip(one, other, strict=True))
    return Measured(compared=len(one), equal=equal)


def _filled(original: TextFiller, exported: TextFiller) -> Measured:
    texts = [f"[MASK] {prompt}" for prompt in prompts()]
    one, other = ([row[0][0].text for row in model.fill(texts, top=1)] for model in (original, exported))
    return Measured(compared=len(one), equal=sum(a == b for a, b in zip(one, other, strict=True)))


def _found(original: TextTagger, exported: TextTagger) -> Measured:
    sides = (model.tag(prompts()) for model in (original, exported))
    one, other = ([[(e.start, e.end, e.label) for e in row] for row in side] for side in sides)
    return Measured(compared=len(one), equal=sum(a == b for a, b in zip(one, other, strict=True)))


def _written(original: LanguageModel, exported: LanguageModel) -> Measured:
    compared = equal = 0
    widest, nll = 0.0, (0.0, 0.0)
    for text in prompts():
        ids = prompt_ids(original.tokenizer, text)[: max(1, original.context - _WRITTEN - 1)]
        sampling = original.sampling(room=_WRITTEN, max_new_tokens=_WRITTEN, temperature=0.0)
        written = [token.id for token in run(Decoder(original.module, max_batch=1), ids, sampling)]
        if not written:
            continue
        one, other = (_logits(model, [*ids, *written])[len(ids) - 1 : -1] for model in (original, exported))
        target = torch.tensor(written)
        compared += len(written)
        equal += int((one.argmax(-1) == other.argmax(-1)).sum())
        widest = max(widest, float((one - other).abs().max()))
        losses = [
            float(torch.nn.functional.cross_entropy(logits, target, reduction="sum"))
            for logits in (one, other)
        ]
        nll = (nll[0] + losses[0], nll[1] + losses[1])
    return Measured(compared=compared, equal=equal, logits=widest, nll=nll)


def _logits(model: LanguageModel, ids: list[int]) -> torch.Tensor:
    """What a model says after each of the ids: [tokens, vocab]."""
    with torch.inference_mode():
        logits: torch.Tensor = model.module(input_ids=torch.tensor([ids]), use_cache=False).logits[0].float()
    return logits


def faults(found: Measured, bounds: Tolerance) -> tuple[str, ...]:
    """In what a measurement is beyond its tolerance."""
    said: list[str] = []
    if found.agreement < bounds.agreement:
        said.append(f"agreement {found.agreement:.4f} < {bounds.agreement}")
    if bounds.logits is not None and found.logits is not None and not found.logits <= bounds.logits:
        said.append(f"logits {found.logits:.3g} > {bounds.logits}")
    if bounds.perplexity is not None and found.perplexity is not None:
        before, after = found.perplexity
        if not abs(after - before) <= bounds.perplexity * before:
            said.append(f"perplexity {before:.4g} -> {after:.4g}")
    return tuple(said)


def hold(certificate: Certificate) -> Certificate:
    """The certificate, if the export passed.

    Raises:
        ModelError: M75 when it did not.
    """
    if certificate.faults:
        raise ModelError("M75", name=certificate.model, faults="; ".join(certificate.faults))
    return certificate
