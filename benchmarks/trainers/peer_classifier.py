"""An encoder learns to classify in transformers' Trainer: python peer_classifier.py JOB OUT

`options.peer` is `trainer` (its defaults) or `trainer_sorted` (rows of similar length together, bfloat16 on a
machine that is fast at it: the best of its settings).
"""

from __future__ import annotations

import os

import job

task, out = job.arguments()
job.keep_memory()
os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")

from datasets import Dataset  # noqa: E402  the allocator is set before anything large is allocated
from peer_clock import Clock  # noqa: E402
from peer_precision import is_fast_at_bfloat16  # noqa: E402
from transformers import (  # noqa: E402
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)


def main() -> None:
    clock = Clock()
    rows = task.examples()
    features = [
        {"input_ids": r["ids"], "attention_mask": [1] * len(r["ids"]), "label": r["target"]} for r in rows
    ]
    Trainer(
        model=AutoModelForSequenceClassification.from_pretrained(
            task.model, num_labels=1 + max(row["target"] for row in task.all_rows())
        ),
        args=_settings(),
        train_dataset=Dataset.from_list(features),
        data_collator=DataCollatorWithPadding(AutoTokenizer.from_pretrained(task.model)),
        callbacks=[clock],
    ).train()
    job.tell(clock.told, out)


def _settings() -> TrainingArguments:
    is_sorted = task.options["peer"] == "trainer_sorted"
    better = {"bf16": is_fast_at_bfloat16(task.device), "train_sampling_strategy": "group_by_length"}
    return TrainingArguments(
        output_dir=str(out.with_suffix("")),
        num_train_epochs=task.epochs,
        per_device_train_batch_size=task.batch_size,
        learning_rate=task.rate,
        use_cpu=task.device == "cpu",
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        logging_steps=1,
        **(better if is_sorted else {}),
    )


if __name__ == "__main__":
    main()
