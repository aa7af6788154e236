"""Tunesmith learns: python ours.py JOB OUT

The product's own task, method and loop, as a recipe's run calls them, without data stage and evaluation. It
starts from texts, not from token ids as its peers do.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import job

task, out = job.arguments()

from tunesmith.core.memory import keep_freed_memory  # noqa: E402

keep_freed_memory()

import polars as pl  # noqa: E402  the allocator is set before anything large is allocated
import torch  # noqa: E402

from tunesmith.core import components  # noqa: E402
from tunesmith.core.events import Step  # noqa: E402
from tunesmith.core.recipe import Train  # noqa: E402
from tunesmith.models import device  # noqa: E402
from tunesmith.models.resolve import Resolved  # noqa: E402
from tunesmith.tasks.task import Example, Learner, Start, Task  # noqa: E402
from tunesmith.train.loop import Readers  # noqa: E402
from tunesmith.train.loop import train as loop  # noqa: E402

# What a row has beside its fields, for peers.
_ENCODED = ("ids", "learned", "target")
_LORA = {"name": "lora", "rank": 16, "alpha": 32}


def main() -> None:
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", len(os.sched_getaffinity(0)))))
    if task.device == "cuda":
        device.take()
    work, told = components.tasks.get(task.work)(), job.Told()
    learner = learner_of(work)
    examples = encoded(work, learner, task.examples())
    settings, readers = _settings(len(examples)), Readers(evaluate=dict)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for event in loop(
            learner, work, examples, settings=settings, seed=task.seed, folder=place, readers=readers
        ):
            if isinstance(event, Step):
                told.step(event.seconds)
                told.losses.append(event.loss)
    if task.options.get("validated"):
        measured = work.measure(learner, encoded(work, learner, task.all_rows()[task.count :]))
        told.validation = float(measured["nll"].sum() / measured["tokens"].sum())
    job.tell(told, out)


def _settings(examples: int) -> Train:
    per_epoch = -(-examples // task.batch_size)
    usual = {
        "method": _LORA if task.method == "lora" else task.method,
        "optimizer": {"name": "adamw", "lr": task.rate},
        "batch_size": task.batch_size,
        "epochs": task.options["steps"] / per_epoch if "steps" in task.options else task.epochs,
    }
    return Train(**usual | task.options.get("train", {}))


def learner_of(work: Task) -> Learner:
    """The model with its method."""
    labels = tuple(sorted({row["label"] for row in task.all_rows() if "label" in row}))
    source = Resolved(name="model", folder=Path(task.model))
    start = Start(source=source, texts=(), labels=labels, seed=0, context=task.options.get("context", 1024))
    learner = work.build(start, lambda own, tokens: own)
    torch.manual_seed(0)
    method = _settings(1).method
    components.methods.get(method.name)(learner.backbone, **method.settings)
    return learner


def encoded(work: Task, learner: Learner, rows: list[dict]) -> list[Example]:
    """Rows as the product encodes them."""
    frame = pl.DataFrame([{key: v for key, v in row.items() if key not in _ENCODED} for row in rows])
    return work.encode(frame.with_row_index("_row"), learner)[0]


if __name__ == "__main__":
    main()
