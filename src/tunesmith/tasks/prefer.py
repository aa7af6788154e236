"""Preferences: of two answers to a prompt the model learns to rather give the better one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tunesmith.core.errors import ModelError
from tunesmith.tasks import pairs
from tunesmith.tasks.language import LanguageTask
from tunesmith.tasks.task import Example, Learner, of_targets, weights

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray
    from torch import Tensor

    from tunesmith.models.backbone import Backbone
    from tunesmith.models.turns import Message, Tools

_TOKENS_AT_ONCE = 4096
_NOTHING = Example(0, np.empty(0, dtype=np.int32), np.empty(0, dtype=np.bool_))


class Prefer(LanguageTask):
    """Rows of `prompt`, `chosen` and `rejected`, or one of the two; how much likelier the better one becomes.

    The reward of an answer is how much likelier, in nats, the model makes it than the model it started as
    (Rafailov et al. 2023, without the factor beta).
    """

    name: ClassVar[str] = "prefer"
    shape: ClassVar[str] = "preferred"
    metrics: ClassVar[tuple[str, ...]] = ("reward_margin", "preference_accuracy")
    baselines: ClassVar[tuple[str, ...]] = ("start", "longer")
    losses: ClassVar[tuple[str, ...]] = ("dpo", "ipo", "orpo", "simpo", "kto")

    def texts(self, frame: pl.DataFrame) -> list[str]:
        """The text of every message of the prompts and of both answers."""
        from tunesmith.models import turns

        sides = (frame["prompt"], frame["chosen"], frame["rejected"])
        return [text for side in sides for messages in side.to_list() for text in turns.words(messages, None)]

    def encode(self, frame: pl.DataFrame, learner: Learner) -> tuple[list[Example], dict[int, int]]:
        """Both conversations rendered by the prompt contract, each cut to the context."""
        examples: list[Example] = []
        cut: dict[int, int] = {}
        columns = (frame[name].to_list() for name in ("prompt", "chosen", "rejected", "tools"))
        for row, weight, prompt, *answers, tools in zip(frame["_row"], weights(frame), *columns, strict=True):
            (chosen, lost), (rejected, lost_too) = (
                _encode(learner, prompt, said, tools) if said else (_NOTHING, 0) for said in answers
            )
            chosen, rejected = (replace(side, row=row, weight=weight) for side in (chosen, rejected))
            examples.append(pairs.joined(chosen, rejected))
            if lost + lost_too:
                cut[row] = lost + lost_too
        return examples, cut

    def objective(
        self, learner: Learner, backbone: Backbone, examples: Sequence[Example], loss: Any
    ) -> Tensor:
        """The loss of the pairs, summed by the weights of their rows."""
        found: Tensor = (loss(pairs.compare(backbone, examples)) * of_targets(examples)).sum()
        return found

    def drift(self, learner: Learner, backbone: Backbone, examples: Sequence[Example]) -> Tensor:
        """How much likelier than at the start the answer to another prompt is, [examples] in nats."""
        return pairs.drift(backbone, examples, learner.card.context)

    def reference(
        self, learner: Learner, examples: Sequence[Example], *, drift: bool = False
    ) -> NDArray[np.float32]:
        """The log-probabilities [examples, 2] of the better and the worse answers.

        With `drift` also, third, that of an answer to another prompt.
        """
        import torch

        from tunesmith.models.backbone import Generic
        from tunesmith.models.classifier import batches_by_length
        from tunesmith.tasks.examples import lengths

        learner.module.eval()
        backbone = Generic(learner.module, speaks=True)
        found = np.zeros((len(examples), 2 + drift), dtype=np.float32)
        with torch.inference_mode():
            for batch in batches_by_length(lengths(examples).tolist(), _TOKENS_AT_ONCE):
                asked = [list(pairs.halves(examples[i])) for i in batch]
                if drift:
                    for i, said in zip(batch, asked, strict=True):
                        said.append(pairs.unrelated(examples[i], learner.card.context))
                sums = pairs.log_likelihoods(backbone, [one for said in asked for one in said])
                found[batch] = sums.view(len(batch), -1).cpu().numpy()
        return found

    def measure(self, learner: Learner, examples: Sequence[Example]) -> Mapping[str, Any]:
        """`rewards` [rows, 2] of the better and the worse answers, and their lengths in tokens, `tokens`."""
        before = [example.reference[:2] or (0.0, 0.0) for example in examples]
        tokens = [[half.targets for half in pairs.halves(example)] for example in examples]
        rewards = self.reference(learner, examples) - np.array(before, dtype=np.float32).reshape(-1, 2)
        return {"rewards": rewards, "tokens": np.array(tokens, dtype=np.int64).reshape(-1, 2)}

    def save(self, learner: Learner, folder: Path) -> None:
        """A chat model as any other."""
        super().save(replace(learner, card=replace(learner.card, task="chat")), folder)


def _encode(
    learner: Learner, prompt: list[Message], answer: list[Message], tools: Tools
) -> tuple[Example, int]:
    """One conversation, of which the turns after the prompt are learned; and how many tokens were cut off."""
    contract = learner.contract
    if contract is None:
        raise ModelError("M11", file="contract.json", reason="missing")
    start = len(contract.encode(learner.tokenizer, prompt, tools))
    made = contract.encode_training(learner.tokenizer, [*prompt, *answer], tools)
    # A template that writes earlier answers anew gives several: the answer is learned in one of them.
    ids, learned = next(one for one in made if any(one[1][start:]))
    kept = min(len(ids), learner.card.context)
    mask = np.asarray(learned[:kept], dtype=np.bool_)
    mask[:start] = False
    return Example(0, np.asarray(ids[:kept], dtype=np.int32), mask), len(ids) - kept
