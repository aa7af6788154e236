"""What language tasks share: next-token loss on the tokens to be learned, and how it is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tunesmith.core.errors import RecipeError
from tunesmith.core.recipe import Made, Scratch
from tunesmith.models.card import Card
from tunesmith.models.families import FAMILIES
from tunesmith.tasks.examples import lengths
from tunesmith.tasks.task import Example, Learner, Start, weigh

if TYPE_CHECKING:
    from torch import Tensor, nn

    from tunesmith.tasks.task import Adapt, Loss

# The longest row unless the recipe says otherwise: attention and memory grow with it.
_CONTEXT = 1024
_TOKENS_AT_ONCE = 4096


class LanguageTask:
    """A causal language model that learns to say some of the tokens of each row."""

    name: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]] = ("perplexity",)
    baselines: ClassVar[tuple[str, ...]] = ()

    def build(self, start: Start, contract: Adapt) -> Learner:
        """A decoder from a folder or from nothing, with its prompt contract.

        Raises:
            RecipeError: R13 when the model is not a decoder.
            ModelError: M43 or M45 when one of the user's own gives no logits, or looks ahead.
        """
        from tunesmith.models import loading, own, readiness, scratch, tokenizer
        from tunesmith.models.language import contract_of
        from tunesmith.tasks import saving

        if isinstance(start.source, Made):
            if isinstance(start.source, Scratch):
                name = start.source.architecture
                if (kind := FAMILIES[name].kind) != "decoder":
                    raise RecipeError("R13", task=self.name, model=name, kind=kind, wanted="decoder")
            module, tokens = scratch.make(start.source, start.texts, seed=start.seed)
            brought = scratch.contract(tokens)
        else:
            folder = Path(str(start.source.folder))
            module, tokens = loading.language_module(folder), tokenizer.load(folder)
            brought = contract_of(folder, tokens)
        readiness.to_write(module)
        card = Card(
            kind="language",
            task=self.name,
            context=saving.context_of(start.source, start.context, at_most=_CONTEXT),
            base=saving.base_of(start.source),
            code=own.code_of(module),
        )
        return Learner(
            module=module, backbone=module, tokenizer=tokens, card=card, contract=contract(brought, tokens)
        )

    def objective(self, module: nn.Module, examples: Sequence[Example], loss: Loss) -> Tensor:
        """The loss of the predictions of learned tokens, summed over them by the weights of their rows.

        Rows are padded on the right: under causal attention no real token sees the padding, so no mask is
        needed, and only positions with a target go through the output head.
        """
        logits, target = _predictions(module, examples)
        return weigh(loss(logits.float(), target), examples)

    def measure(self, learner: Learner, examples: Sequence[Example]) -> Mapping[str, Any]:
        """`nll`: the negative log-likelihood of all learned tokens in nats; `tokens`: how many."""
        import torch

        from tunesmith.models.classifier import batches_by_length

        learner.module.eval()
        nll, tokens = 0.0, 0
        with torch.inference_mode():
            for batch in batches_by_length(lengths(examples).tolist(), _TOKENS_AT_ONCE):
                logits, target = _predictions(learner.module, [examples[i] for i in batch])
                nll += float(torch.nn.functional.cross_entropy(logits.float(), target, reduction="sum"))
                tokens += len(target)
        return {"nll": nll, "tokens": tokens}

    def save(self, learner: Learner, folder: Path) -> None:
        """Weights or adapter, tokenizer, card, contract."""
        from tunesmith.tasks.saving import save_backbone

        context = _context(learner)
        contract = learner.contract and replace(learner.contract, context=context)
        card = replace(learner.card, context=context)
        save_backbone(replace(learner, card=card, contract=contract), folder, task_type="CAUSAL_LM")


def _context(learner: Learner) -> int:
    # Rows were cut to card.context in training; the model itself may continue as far as its positions go.
    config = learner.backbone.config.get_text_config()  # type: ignore[operator, union-attr]
    return int(getattr(config, "max_position_embeddings", None) or learner.card.context)


def _reshapes_logits(module: nn.Module) -> bool:
    """Whether logits are more than what the output head gives.

    Some families scale or cap them (Granite, Gemma 2, Cohere); a model of the user's own may do anything.
    """
    from tunesmith.models import own

    if own.code_of(module) is not None:
        return True
    names = ("logits_scaling", "final_logit_softcapping", "logit_scale")
    return any(getattr(module.config, name, None) for name in names)


def _predictions(module: nn.Module, examples: Sequence[Example]) -> tuple[Tensor, Tensor]:
    """Logits [targets, vocab] at the positions before each learned token, and those tokens [targets]."""
    import numpy as np
    import torch

    from tunesmith.models.classifier import pad

    ids, _ = pad([example.ids for example in examples])
    learned = torch.zeros_like(ids, dtype=torch.bool)
    for i, example in enumerate(examples):
        learned[i, : len(example.ids)] = torch.from_numpy(np.asarray(example.target))
    chosen = learned[:, 1:]
    if _reshapes_logits(module):
        logits = module(input_ids=ids, use_cache=False).logits[:, :-1][chosen]
        return logits, ids[:, 1:][chosen]
    hidden = module.base_model(input_ids=ids, use_cache=False).last_hidden_state  # type: ignore[operator]
    logits = module.get_output_embeddings()(hidden[:, :-1][chosen])  # type: ignore[operator]
    return logits, ids[:, 1:][chosen]
