"""One optimizer step: the rows of a batch in micro-batches, the gradient of their mean loss, the update.

Every micro-batch's randomness is seeded by (seed, step, its place in the step), so that resuming repeats
nothing and skips nothing, and any process may compute it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import Optimizer

from tunesmith.core import components
from tunesmith.core.chosen import Component
from tunesmith.core.errors import RecipeError
from tunesmith.core.events import Step, Warned
from tunesmith.core.recipe import Train
from tunesmith.core.registry import Registry
from tunesmith.models.backbone import Backbone
from tunesmith.tasks.classify import Classify
from tunesmith.tasks.examples import common_beginning, lengths
from tunesmith.tasks.mixed import Mixed
from tunesmith.tasks.task import Comparing, Drawing, Drifting, Example, Learner, Task
from tunesmith.train import backbones, comparing, freezing, optimizers, precision, sizes
from tunesmith.train.averaging import Average
from tunesmith.train.batches import Batches, Cut
from tunesmith.train.guard import BadStepError, Guard
from tunesmith.train.named import Named
from tunesmith.train.parallel import ALONE, Group

# Rows on which a fast backbone is compared with the model's own code before training.
_COMPARED = 4


class Stepper:
    """A learner with its optimizer, loss, schedule and batches."""

    def __init__(
        self,
        learner: Learner,
        task: Task,
        examples: Sequence[Example],
        settings: Train,
        seed: int,
        clock: Callable[[], float] = time.monotonic,
        group: Group = ALONE,
    ) -> None:
        self.learner = learner
        self.module = learner.module
        self.task = _mixed(task, learner, settings.mixup)
        self.examples = examples
        self.settings = settings
        self.seed = seed
        self.clock = clock
        self.group = self._divided(group)
        # What is divided lies there already: the whole may be too large for it.
        self.module.to(torch.get_default_device())
        wanted = settings.micro_batch_tokens
        self.tokens = wanted if isinstance(wanted, int) else sizes.usual(self.task)
        named = self.group.parameters(learner.module)
        self.parameters = {n: p for n, p in named.items() if p.requires_grad}
        own = sum(p.numel() * p.element_size() for p in self.parameters.values())
        # Bytes of what learns, in the first process: it has as much as any.
        self.learned = self.group.first(lambda: own)
        self.optimizer: Optimizer = _make(components.optimizers, settings.optimizer)(Named(self.parameters))
        if settings.layer_decay < 1:
            freezing.slow_down(self.optimizer, named, settings.layer_decay)
        self.average = Average(self.parameters, settings.ema) if settings.ema else None
        self.loss = _make(components.losses, settings.loss)
        self.schedule = _make(components.schedules, settings.schedule)
        self.rates = [float(group["lr"]) for group in self.optimizer.param_groups]
        self.guard = Guard(settings.spike)
        self.lengths = lengths(examples)
        self.warnings: list[Warned] = []
        self.backbone = self._choose(precision.resolve(settings.precision, learner.backbone))
        # Those of the first process, so that all cut a step alike.
        self.shared, self.pads = self.group.first(self._layout)
        self.batches = Batches(len(examples), settings.batch_size, seed)
        self.steps = max(1, round(settings.epochs * self.batches.per_epoch))

    def _divided(self, group: Group) -> Group:
        """The group; where weights are divided among it, the one that knows which.

        Raises:
            RecipeError: T35 when the optimizer needs whole weights.
        """
        if self.settings.sharding == "none":
            return group
        if (name := self.settings.optimizer.name) in optimizers.NEED_WHOLE:
            raise RecipeError("T35", optimizer=name)
        from tunesmith.train.parallel import sharded

        return sharded.divide(group, self.module, self.learner.backbone)

    def _choose(self, wanted: str) -> Backbone:
        """The backbone, compared on the shortest rows; what is to be said of it goes to the warnings."""
        if self.settings.sharding == "full":
            # However many processes there are, so that their number does not show in what is learned.
            self.warnings.append(Warned(code="T34"))
            return backbones.own(self.learner, wanted)
        rows = [self.examples[int(i)] for i in np.argsort(self.lengths, kind="stable")[:_COMPARED]]
        choice = backbones.choose(
            self.learner,
            wanted,
            lambda backbone: self.task.objective(self.learner, backbone, rows, self.loss),
        )
        if choice.warning:
            self.warnings.append(choice.warning)
        return choice.backbone

    def _layout(self) -> tuple[int, bool]:
        """How many tokens all rows begin with that are computed once, and whether rows are padded."""
        both = self.backbones
        least = [one.shares_from for one in both if one.shares_from is not None]
        found = common_beginning(self.examples) if len(least) == len(both) else 0
        return (found if found >= max(least, default=0) else 0), any(one.pads for one in both)

    @property
    def backbones(self) -> list[Backbone]:
        """The one that learns, and the teacher's if there is one."""
        return [self.backbone, *([self.learner.teacher] if self.learner.teacher else [])]

    def step(self, number: int) -> Step:
        """Learn from the batch of `number`, counted from 0.

        Raises:
            BadStepError: when it must not be learned from; weights and optimizer are as before.
        """
        return self._learn(number, self.batches.at(number))

    @property
    def state(self) -> dict[str, Tensor]:
        """All that steps change, apart from what the optimizer remembers."""
        return {**self.parameters, **(self.average.tensors if self.average else {})}

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Inside the block the model has the weights that are evaluated and saved."""
        with self.average.in_place() if self.average else nullcontext():
            self.backbone.renew()
            yield
        self.backbone.renew()

    def rehearse(self) -> None:
        """Learn from the longest rows there are: hardly a step of the run takes more memory."""
        self._learn(0, np.argsort(self.lengths, kind="stable")[-self.settings.batch_size :])

    def _learn(self, number: int, indices: NDArray[np.int64]) -> Step:
        began = self.clock()
        self.module.train()
        loss = self._backward(number, indices)
        norm = self.group.clip(self.parameters.values(), self.settings.clip)
        if reason := self.guard.reason(loss, norm):
            self.optimizer.zero_grad()
            raise BadStepError(reason, loss, sorted({self.examples[i].row for i in indices}))
        # The rate of the middle of a step: the first one would learn nothing where there is a warm-up.
        factor = self.schedule((number + 0.5) / self.steps)
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.average is not None:
            self.average.update(number + 1)
        self.backbone.renew()
        return Step(
            step=number + 1,
            steps=self.steps,
            epoch=(number + 1) / self.batches.per_epoch,
            loss=loss,
            learning_rate=max(self.rates) * factor,
            grad_norm=norm,
            tokens=int(self.lengths[indices].sum()),
            seconds=self.clock() - began,
        )

    def _backward(self, number: int, indices: NDArray[np.int64]) -> float:
        """Gradients of the weighted mean loss over the batch's targets, whatever the micro-batches are.

        Each process of the group computes its share of them; gradients and loss are added up.
        """
        targets = sum(example.targets * example.weight for example in (self.examples[i] for i in indices))
        cut = Cut(tokens=self.tokens, pads=self.pads, shared=self.shared)
        numbers = cut.parts(indices, self.lengths, self.group.size)
        parts = [[self._example(number, i) for i in part] for part in numbers]
        draw = partial(self._draw, number)
        if isinstance(self.task, Comparing):
            whole = comparing.backward(self.task, self.backbone, parts, self.loss, targets, draw, self.group)
            self.group.add_up(self.parameters.values(), 0.0)
            return whole
        parts = self._drifted(parts, draw)
        total = 0.0
        for place, counts in self.group.deal(len(parts)):
            draw(place)
            loss = self.objective(parts[place]) * counts / targets
            loss.backward()
            total += float(loss.detach())
        return self.group.add_up(self.parameters.values(), total)

    def _drifted(self, parts: list[list[Example]], draw: Callable[[int], object]) -> list[list[Example]]:
        """The examples with the drift of the step, if the loss looks at it."""
        if not isinstance(self.task, Drifting) or parts[0][0].other is None:
            return parts
        total = torch.zeros(())
        for place, counts in self.group.deal(len(parts)):
            draw(place)
            with torch.no_grad(), self.backbone.computing():
                total += self.task.drift(self.learner, self.backbone, parts[place]).sum() * counts
        drift = float(self.group.sum(total)) / sum(len(part) for part in parts)
        return [[replace(example, drift=drift) for example in part] for part in parts]

    def _example(self, number: int, index: int) -> Example:
        """An example as it is learned in a step: the same, whatever the micro-batches are."""
        example = self.examples[index]
        if not isinstance(self.task, Drawing):
            return example
        random = np.random.Generator(np.random.Philox(key=_mix(self.seed, number, index)))
        return self.task.draw(self.learner, example, random)

    def _draw(self, number: int, place: int) -> None:
        """Seed the randomness of the micro-batch at `place` of a step, whichever process computes it."""
        torch.manual_seed(_mix(self.seed, number, place))

    def objective(self, examples: Sequence[Example]) -> torch.Tensor:
        """The weighted loss summed over the targets of some examples."""
        with self.backbone.computing():
            return self.task.objective(self.learner, self.backbone, examples, self.loss)


def _mixed(task: Task, learner: Learner, alpha: float | None) -> Task | Mixed:
    """The task, with its rows mixed where the recipe wants it and the task is classification."""
    if alpha is None or not isinstance(task, Classify):
        return task
    return Mixed(task=task, learner=learner, alpha=alpha)


def _make(registry: Registry, chosen: Component) -> Callable[..., Any]:
    return partial(registry.get(chosen.name), **chosen.settings)


def _mix(*numbers: int) -> int:
    """A well-mixed seed of some numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)
