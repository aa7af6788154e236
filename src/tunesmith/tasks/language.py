"""What language tasks share: next-token loss on the tokens to be learned, and how it is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tunesmith.core.errors import RecipeError
from tunesmith.core.recipe import Made, Scratch
from tunesmith.models import device
from tunesmith.models.card import Card
from tunesmith.models.families import FAMILIES
from tunesmith.tasks.examples import lengths
from tunesmith.tasks.task import Example, Learner, Start, of_targets

if TYPE_CHECKING:
    from torch import Tensor

    from tunesmith.models.backbone import Backbone
    from tunesmith.tasks.task import Adapt, Loss

# The longest row unless the recipe says otherwise: attention and memory grow with it.
_CONTEXT = 1024
_TOKENS_AT_ONCE = 4096


class LanguageTask:
    """A causal language model that learns to say some of the tokens of each row."""

    name: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]] = ("perplexity",)
    baselines: ClassVar[tuple[str, ...]] = ()
    losses: ClassVar[tuple[str, ...]] = ("cross_entropy", "kl")

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
            brought = scratch.contract_for(start.source, tokens)
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

    def objective(
        self, learner: Learner, backbone: Backbone, examples: Sequence[Example], loss: Loss
    ) -> Tensor:
        """The loss of the predictions of learned tokens, summed over them by the weights of their rows."""
        import torch

        from tunesmith.tasks import taught
        from tunesmith.tasks.token_losses import weighted_loss

        before, target = predicted(examples)
        rows = [example.ids for example in examples]
        hidden = backbone.hidden(rows, before)
        if learner.teacher is not None:
            loss = taught.compared(loss, learner.teacher, rows, before, target)
            target = torch.arange(len(target))
        return weighted_loss(backbone.head, hidden, target, of_targets(examples), loss)

    def measure(self, learner: Learner, examples: Sequence[Example]) -> Mapping[str, Any]:
        """`nll` [rows]: the negative log-likelihood of each row, in nats, and its `tokens`, both [rows]."""
        import torch

        from tunesmith.models.backbone import Generic
        from tunesmith.models.classifier import batches_by_length
        from tunesmith.tasks.token_losses import log_probabilities

        learner.module.eval()
        backbone = Generic(learner.module, speaks=True)
        tokens = np.array([example.targets for example in examples], dtype=np.int64)
        nll = np.zeros(len(examples))
        with torch.inference_mode():
            for batch in batches_by_length(lengths(examples).tolist(), _TOKENS_AT_ONCE):
                rows = [examples[i] for i in batch]
                before, target = predicted(rows)
                hidden = backbone.hidden([row.ids for row in rows], before)
                found = log_probabilities(backbone.head, hidden, target)
                parts = found.split(tokens[batch].tolist())
                nll[batch] = [-float(part.sum()) for part in parts]
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


def predicted(examples: Sequence[Example]) -> tuple[Tensor, Tensor]:
    """The places [targets] before each learned token among all tokens of the examples, and those tokens."""
    ids = np.concatenate([example.ids for example in examples]).astype(np.int64)
    learned = np.concatenate([np.asarray(example.target) for example in examples])
    # The first token of a row has nothing before it to be predicted from.
    starts = np.cumsum([0, *(len(example.ids) for example in examples[:-1])])
    learned[starts] = False
    places = np.flatnonzero(learned)
    return device.tensor(places - 1), device.tensor(ids[places])
