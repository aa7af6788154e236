"""What every task provides, and what it works on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tunesmith.core.recipe import Made
from tunesmith.models.card import Card
from tunesmith.models.contract import PromptContract
from tunesmith.models.resolve import Resolved

if TYPE_CHECKING:
    import polars as pl
    from tokenizers import Tokenizer
    from torch import Tensor, nn

    from tunesmith.models.backbone import Backbone

    Loss = Callable[..., Tensor]
    Adapt = Callable[[PromptContract, Tokenizer], PromptContract]


@dataclass(frozen=True, slots=True)
class Example:
    """One encoded row; its arrays are read, never changed: they may be views of a file.

    `target` is the index of a label, for language a mask [tokens] of what the model learns to say, for tags
    one for each token [tokens], negative where none is learned, or numbers [n] that mean what the task says.
    `weight` is how much each of its predictions counts in the loss. A pair of answers has the worse one from
    `second` on, and one of them may be missing; `reference` is the log-probability of each by the model that
    training started from, or that of each label by a teacher. `other` is another pair, whose answer does not
    belong to this prompt; `drift` is how much likelier such answers became, in nats, on average over the rows
    of the step that it is learned in.
    """

    row: int
    ids: NDArray[np.integer[Any]]
    target: int | NDArray[np.bool_] | NDArray[np.int16] | NDArray[np.float32]
    weight: float = 1.0
    second: int | None = None
    reference: tuple[float, ...] = ()
    other: Example | None = None
    drift: float = 0.0

    @property
    def targets(self) -> int:
        """How many predictions of this row are trained; a pair is one, if its answers have tokens."""
        if isinstance(self.target, int) or self.target.dtype == np.float32:
            return 1
        if self.target.dtype == np.int16:
            return int((self.target >= 0).sum())
        if self.second is not None:
            sides = [part for part in np.split(self.target, [self.second]) if len(part)]
            return int(bool(sides) and all(part.any() for part in sides))
        # The first token has nothing before it to be predicted from.
        return int(self.target[1:].sum())

    @property
    def learned(self) -> NDArray[np.bool_]:
        """The tokens [tokens] that the model learns to say, or to tag as part of something."""
        if isinstance(self.target, int) or self.target.dtype == np.float32:
            return np.zeros(len(self.ids), dtype=np.bool_)
        return np.asarray(self.target > 0, dtype=np.bool_)


def weights(frame: pl.DataFrame) -> list[float]:
    """How much each row counts: its `_weight` where the data stage gave one."""
    return frame["_weight"].to_list() if "_weight" in frame.columns else [1.0] * frame.height


def of_targets(examples: Sequence[Example]) -> Tensor:
    """The weight of each prediction [targets] of the examples, in their order: that of its example."""
    import torch

    counts = torch.tensor([example.targets for example in examples])
    return torch.tensor([e.weight for e in examples]).repeat_interleave(
        counts, output_size=sum(example.targets for example in examples)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """A model in training: its module, tokenizer, prompt contract, and the card it will be saved with.

    `teacher` is another model of the same tokens, which the loss compares it with; it does not learn.
    `bounds` are the least and the greatest of the numbers that it learns from.
    """

    module: nn.Module
    backbone: nn.Module
    tokenizer: Tokenizer
    card: Card
    contract: PromptContract | None = None
    teacher: Backbone | None = None
    bounds: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a model begins as: found on this machine or to be made, and the words and labels it will meet.

    `scale` is the mean and the spread of the numbers that it learns, `bounds` the least and the greatest.
    """

    source: Resolved | Made
    texts: Sequence[str]
    labels: tuple[str, ...]
    seed: int
    context: int | None
    scale: tuple[float, float] = (0.0, 1.0)
    bounds: tuple[float, float] = (0.0, 1.0)


class Task(Protocol):
    """Binds fields, model, loss, metrics and answers.

    Frames have the columns of `shape` and `_row`, which may repeat, and may have `_weight`.
    """

    name: ClassVar[str]
    shape: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]
    baselines: ClassVar[tuple[str, ...]]
    losses: ClassVar[tuple[str, ...]]
    """The built-in losses that it can learn by; the first is its own unless the recipe says otherwise."""

    def texts(self, frame: pl.DataFrame) -> list[str]:
        """All text of the rows, for training a tokenizer."""
        ...

    def build(self, start: Start, contract: Adapt) -> Learner:
        """The model before training; `contract` puts the recipe's prompt settings over the model's own."""
        ...

    def encode(self, frame: pl.DataFrame, learner: Learner) -> tuple[list[Example], dict[int, int]]:
        """Examples, and how many tokens were cut from which rows; no row depends on another."""
        ...

    def objective(
        self, learner: Learner, backbone: Backbone, examples: Sequence[Example], loss: Loss
    ) -> Tensor:
        """The weighted loss summed over the targets of the examples (a scalar with gradient)."""
        ...

    def measure(self, learner: Learner, examples: Sequence[Example]) -> Mapping[str, Any]:
        """What the model says of the examples, by the name of what it is.

        `probabilities` [rows, labels]; `nll` and `tokens`; `texts`; `rewards` and `tokens` [rows, 2];
        `vectors` [rows, 2, width].
        """
        ...

    def save(self, learner: Learner, folder: Path) -> None:
        """Write everything needed to use the model."""
        ...


@runtime_checkable
class Referring(Protocol):
    """A task that compares a model with what it was before training; each of its rows is one example."""

    def reference(self, learner: Learner, examples: Sequence[Example], *, drift: bool) -> NDArray[np.float32]:
        """What the model says of the examples [examples, n], as they are to carry it in `reference`.

        With `drift`, every example has an `other` one, and n is one more.
        """
        ...


@runtime_checkable
class Drifting(Protocol):
    """A task whose loss may look at how far the model has gone, on all rows of a step."""

    def drift(self, learner: Learner, backbone: Backbone, examples: Sequence[Example]) -> Tensor:
        """For each example with an `other` one how far that is, [examples]."""
        ...


@runtime_checkable
class Drawing(Protocol):
    """A task that asks something else of a row each time that it is learned."""

    def draw(self, learner: Learner, example: Example, random: np.random.Generator) -> Example:
        """The example with something else to learn, and with as many targets."""
        ...


@runtime_checkable
class Comparing(Protocol):
    """A task whose loss compares the rows of a batch with each other."""

    def vectors(self, backbone: Backbone, examples: Sequence[Example]) -> Tensor:
        """What of each row is compared, [rows, ...]; no row depends on another."""
        ...

    def compare(self, vectors: Tensor, examples: Sequence[Example], loss: Loss) -> Tensor:
        """The weighted loss summed over all rows of a batch (a scalar with gradient)."""
        ...


@runtime_checkable
class Varied(Protocol):
    """A task whose rows may have other shapes too; for each there is a task of the same name."""

    def others(self) -> Sequence[Task]:
        """The task for each other shape."""
        ...
