"""An encoder-decoder that learns to write the target of each source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tunesmith.core.recipe import Made
from tunesmith.models.card import Card
from tunesmith.tasks.task import Example, Learner, Start, of_targets, weights

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor

    from tunesmith.models.backbone import Backbone
    from tunesmith.tasks.task import Adapt, Loss

# The longest text on either side unless the recipe says otherwise.
_CONTEXT = 256


class Rewriting:
    """Rows of `source` and `target`; loss on every token of the target and its end.

    An example's ids are those of the source, the token a decoder begins with, and those of the target, which
    are what is learned.
    """

    def build(self, start: Start, contract: Adapt) -> Learner:
        """An encoder-decoder from a folder or from nothing; it has no prompt contract."""
        from tunesmith.models import loading, scratch, tokenizer
        from tunesmith.tasks import saving

        if isinstance(start.source, Made):
            module, tokens = scratch.make(start.source, start.texts, seed=start.seed)
        else:
            folder = Path(str(start.source.folder))
            module, tokens = loading.seq2seq_module(folder), tokenizer.load(folder)
        card = Card(
            kind="encoder_decoder",
            context=saving.context_of(start.source, start.context, at_most=_CONTEXT),
            base=saving.base_of(start.source),
        )
        return Learner(module=module, backbone=module, tokenizer=tokens, card=card)

    def encode(self, frame: pl.DataFrame, learner: Learner) -> tuple[list[Example], dict[int, int]]:
        """Both sides framed as the tokenizer frames texts, each cut to the context."""
        from tunesmith.models import encoding, translator

        start = translator.start_id(learner.module.config)
        context = learner.card.context
        sides = (encoding.encode(learner.tokenizer, frame[side].to_list()) for side in ("source", "target"))
        examples: list[Example] = []
        cut: dict[int, int] = {}
        for row, weight, source, target in zip(frame["_row"], weights(frame), *sides, strict=True):
            (asked, lost), (said, lost_too) = (encoding.truncate(e, context) for e in (source, target))
            # A frame that begins as the decoder does would be the same token twice.
            said = said[1:] if said[:1] == [start] else said
            ids = np.asarray([*asked, start, *said], dtype=np.int32)
            learned = np.arange(len(ids)) > len(asked)
            examples.append(Example(row, ids, learned, weight))
            if lost + lost_too:
                cut[row] = lost + lost_too
        return examples, cut

    def objective(
        self, learner: Learner, backbone: Backbone, examples: Sequence[Example], loss: Loss
    ) -> Tensor:
        """The loss of every token of the targets, summed over them by the weights of their rows."""
        from tunesmith.models.classifier import pad

        source, source_mask = pad([_source(example) for example in examples])
        target, target_mask = pad([example.ids[len(_source(example)) :] for example in examples])
        logits = learner.module(
            input_ids=source, attention_mask=source_mask, decoder_input_ids=target[:, :-1], use_cache=False
        ).logits
        chosen = target_mask[:, 1:].bool()
        return (loss(logits[chosen].float(), target[:, 1:][chosen]) * of_targets(examples)).sum()

    def measure(self, learner: Learner, examples: Sequence[Example]) -> Mapping[str, Any]:
        """`texts`: what the model writes for each source, the most probable token each time."""
        from tunesmith.models import translator

        rows = [_source(example) for example in examples]
        written = translator.write(learner.module, rows, context=learner.card.context)
        return {"texts": translator.decode(learner.tokenizer, written)}

    def save(self, learner: Learner, folder: Path) -> None:
        """Weights or adapter, tokenizer, card."""
        from tunesmith.tasks.saving import save_backbone

        save_backbone(learner, folder, task_type="SEQ_2_SEQ_LM")


def _source(example: Example) -> Any:
    """The ids before the token that the decoder begins with."""
    return example.ids[: int(np.argmax(np.asarray(example.target))) - 1]
