"""Masked language modelling: an encoder goes on learning from texts, some of whose tokens it does not see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tunesmith.core.errors import ModelError
from tunesmith.core.recipe import Made
from tunesmith.models import device
from tunesmith.tasks import encoders
from tunesmith.tasks.examples import lengths
from tunesmith.tasks.task import Example, Learner, Start, of_targets, weights

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray
    from tokenizers import Tokenizer
    from torch import Tensor, nn

    from tunesmith.models.backbone import Backbone
    from tunesmith.tasks.task import Adapt, Loss

_TOKENS_AT_ONCE = 4096


class Mask:
    """Rows of `text`; 15 % of the tokens are hidden, others each time that a row is learned.

    In what is measured they are always the same. After Devlin et al. 2019 and, for what changes from one
    time to the next, Liu et al. 2019.
    """

    name: ClassVar[str] = "mask"
    shape: ClassVar[str] = "text"
    metrics: ClassVar[tuple[str, ...]] = ("perplexity", "masked_accuracy")
    baselines: ClassVar[tuple[str, ...]] = ()
    losses: ClassVar[tuple[str, ...]] = ("cross_entropy", "focal")

    def texts(self, frame: pl.DataFrame) -> list[str]:
        """All text of the rows."""
        return frame["text"].to_list()

    def build(self, start: Start, contract: Adapt) -> Learner:
        """An encoder with its own head, or with a new one on its embeddings; it has no prompt contract.

        Raises:
            ModelError: T24 when no such head is known for its kind.
        """
        from tunesmith.models import masked, masking

        module, tokens = _module(start)
        masking.token(tokens)
        masked.fit(module, tokens.get_vocab_size())
        encoder: Any = module.base_model
        card = encoders.card(start, encoder, "masked", self.name)
        return Learner(module=module, backbone=encoder, tokenizer=tokens, card=card)

    def encode(self, frame: pl.DataFrame, learner: Learner) -> tuple[list[Example], dict[int, int]]:
        """Each text in pieces of at most the context, each framed; of each the same tokens are hidden.

        Raises:
            ModelError: M57 when the encoder has a tuned prompt.
        """
        from tunesmith.models import masking, soft_prompt

        if soft_prompt.of(learner.backbone):
            raise ModelError("M57", model=learner.card.task, reason="task: mask")
        masks = masking.of(learner.tokenizer)
        rows = zip(frame["_row"], weights(frame), _pieces(learner, frame["text"].to_list()), strict=True)
        return [
            Example(row, ids, masks.choose(ids), weight) for row, weight, pieces in rows for ids in pieces
        ], {}

    def draw(self, learner: Learner, example: Example, random: np.random.Generator) -> Example:
        """The example with other tokens hidden, as many as before."""
        from tunesmith.models import masking

        return replace(example, target=masking.of(learner.tokenizer).choose(example.ids, random))

    def objective(
        self, learner: Learner, backbone: Backbone, examples: Sequence[Example], loss: Loss
    ) -> Tensor:
        """The loss of the hidden tokens, summed over them by the weights of their rows."""
        from tunesmith.models import masked
        from tunesmith.tasks.token_losses import weighted_loss

        shown, places, target = _asked(learner, examples)
        hidden = backbone.hidden(shown, places)
        return weighted_loss(masked.head(learner.module), hidden, target, of_targets(examples), loss)

    def measure(self, learner: Learner, examples: Sequence[Example]) -> Mapping[str, Any]:
        """Of the hidden tokens of each row: `nll` in nats, how many `tokens`, how many `right`: [rows]."""
        import torch

        from tunesmith.models import masked
        from tunesmith.models.backbone import Generic
        from tunesmith.models.classifier import batches_by_length
        from tunesmith.tasks.token_losses import judged

        learner.module.eval()
        backbone, head = Generic(learner.backbone, speaks=False), masked.head(learner.module)
        tokens = np.array([example.targets for example in examples], dtype=np.int64)
        nll, right = np.zeros(len(examples)), np.zeros(len(examples), dtype=np.int64)
        with torch.inference_mode():
            for batch in batches_by_length(lengths(examples).tolist(), _TOKENS_AT_ONCE):
                shown, places, target = _asked(learner, [examples[i] for i in batch])
                likely, is_right = judged(head, backbone.hidden(shown, places), target)
                parts = tokens[batch].tolist()
                nll[batch] = [-float(part.sum()) for part in likely.split(parts)]
                right[batch] = [int(part.sum()) for part in is_right.split(parts)]
        return {"nll": nll, "tokens": tokens, "right": right}

    def save(self, learner: Learner, folder: Path) -> None:
        """Encoder and head, adapters folded into it, tokenizer, card."""
        from tunesmith.models import adapter_folder, masking
        from tunesmith.tasks.saving import save_backbone

        adapter_folder.fold(learner.backbone)
        special = {"mask_token": masking.token(learner.tokenizer)}
        save_backbone(replace(learner, backbone=learner.module), folder, special=special)


def _module(start: Start) -> tuple[nn.Module, Tokenizer]:
    import torch

    from tunesmith.models import loading, masked, tokenizer

    folder = None if isinstance(start.source, Made) else start.source.folder
    if folder is not None and masked.has_head(folder):
        module = loading.masked_module(folder)
        masked.head(module)
        return module, tokenizer.load(folder)
    encoder, tokens = encoders.begin(start)
    torch.manual_seed(start.seed)
    return masked.begin(encoder), tokens


def _pieces(learner: Learner, texts: Sequence[str]) -> list[list[NDArray[np.int32]]]:
    """The ids of each text in pieces, each between the tokens that frame a text."""
    return [
        _cut(np.array(e.ids, dtype=np.int32), np.array(e.special_tokens_mask), learner.card.context)
        for e in learner.tokenizer.encode_batch_fast(list(texts))
    ]


def _cut(ids: NDArray[np.int32], frames: NDArray[np.int64], size: int) -> list[NDArray[np.int32]]:
    inner = np.flatnonzero(frames == 0)
    if not len(inner):
        return []
    start, end = int(inner[0]), int(inner[-1]) + 1
    room = size - start - (len(ids) - end)
    parts = [ids[at : min(at + room, end)] for at in range(start, end, room)]
    return [np.concatenate([ids[:start], part, ids[end:]]) for part in parts]


def _asked(learner: Learner, examples: Sequence[Example]) -> tuple[list[NDArray[np.int32]], Tensor, Tensor]:
    """What is seen of each row; the places [targets] of what is hidden among all tokens; and what it is."""
    from tunesmith.models import masking

    masks = masking.of(learner.tokenizer)
    shown = [masks.shown(example.ids, np.asarray(example.target)) for example in examples]
    ids = np.concatenate([example.ids for example in examples]).astype(np.int64)
    places = np.flatnonzero(np.concatenate([np.asarray(example.target) for example in examples]) > 0)
    return shown, device.tensor(places), device.tensor(ids[places])
