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
job.keep_memory()

import polars as pl  # noqa: E402  the allocator is set before anything large is allocated
import torch  # noqa: E402

from tunesmith.core import components  # noqa: E402
from tunesmith.core.events import Step  # noqa: E402
from tunesmith.core.recipe import Train  # noqa: E402
from tunesmith.models.resolve import Resolved  # noqa: E402
from tunesmith.tasks.task import Example, Learner, Start  # noqa: E402
from tunesmith.train.loop import Readers  # noqa: E402
from tunesmith.train.loop import train as loop  # noqa: E402

# What a row has beside its fields, for peers.
_ENCODED = ("ids", "learned", "target")
_LORA = {"name": "lora", "rank": 16, "alpha": 32}


def main() -> None:
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    told = job.Told()
    settings = Train(
        method=task.options.get("method", _LORA if task.method == "lora" else task.method),
        optimizer={"name": "adamw", "lr": task.rate},
        batch_size=task.batch_size,
        epochs=task.epochs,
    )
    learner, examples = prepare(settings)
    readers = Readers(evaluate=dict)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        work = components.tasks.get(task.work)()
        for event in loop(learner, work, examples, settings=settings, seed=0, folder=place, readers=readers):
            if isinstance(event, Step):
                told.step(event.seconds)
                told.losses.append(event.loss)
    job.tell(told, out)


def prepare(settings: Train) -> tuple[Learner, list[Example]]:
    """The model with its method, and the encoded rows."""
    work = components.tasks.get(task.work)()
    rows = task.examples()
    labels = tuple(sorted({row["label"] for row in task.all_rows() if "label" in row}))
    source = Resolved(name="model", folder=Path(task.model))
    start = Start(source=source, texts=(), labels=labels, seed=0, context=task.options.get("context", 1024))
    learner = work.build(start, lambda own, tokens: own)
    torch.manual_seed(0)
    components.methods.get(settings.method.name)(learner.backbone, **settings.method.settings)
    frame = pl.DataFrame([{key: v for key, v in row.items() if key not in _ENCODED} for row in rows])
    return learner, work.encode(frame.with_row_index("_row"), learner)[0]


if __name__ == "__main__":
    main()
