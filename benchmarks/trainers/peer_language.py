"""Decoders learn conversations in TRL and in transformers' Trainer: python peer_language.py JOB OUT

`options.peer` is `trl` (the defaults of its SFTTrainer), `trl_packing` (the best of its settings here),
`trainer` (padded batches) or `trainer_flattening` (rows one after another, none sees another). All but the
defaults compute in bfloat16 only on a machine that is fast at it, and in float32 elsewhere. They read the
token ids that Tunesmith makes, so that all learn the same tokens, and need no time to encode.
"""

from __future__ import annotations

import os

import job

task, out = job.arguments()
job.keep_memory()
os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")

import torch  # noqa: E402  the allocator is set before anything large is allocated
from datasets import Dataset  # noqa: E402
from peer_clock import Clock  # noqa: E402
from peer_precision import is_fast_at_bfloat16  # noqa: E402
from peft import LoraConfig, get_peft_model  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainingArguments  # noqa: E402

_IGNORED = -100


def main() -> None:
    clock = Clock()
    peer = task.options["peer"]
    trainer = _trl(clock, packing=peer == "trl_packing") if peer.startswith("trl") else _trainer(clock, peer)
    trainer.train()
    if task.options.get("validated"):
        clock.told.validation = _validate(trainer.model)
    job.tell(clock.told, out)


def _common() -> dict:
    return {
        "output_dir": str(out.with_suffix("")),
        "num_train_epochs": task.epochs,
        "train_sampling_strategy": "random" if task.options.get("shuffled") else "sequential",
        "seed": task.seed,
        # As Tunesmith does unless it is told otherwise.
        "warmup_steps": 0.06,
        "weight_decay": 0.01,
        "per_device_train_batch_size": task.batch_size,
        "learning_rate": task.rate,
        "use_cpu": task.device == "cpu",
        "report_to": "none",
        "save_strategy": "no",
        "disable_tqdm": True,
        "logging_steps": 1,
    }


def _lora() -> LoraConfig:
    return LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")


def _trl(clock: Clock, *, packing: bool) -> Trainer:
    from trl import SFTConfig, SFTTrainer

    rows = [{"input_ids": r["ids"], "completion_mask": r["learned"]} for r in task.examples()]
    settings = _common() | {"max_length": 1024, "completion_only_loss": True}
    if packing:
        # A batch is one pack of up to 1,024 tokens, near the useful tokens of eight rows.
        settings |= {"packing": True, "gradient_checkpointing": False}
        settings["bf16"] = is_fast_at_bfloat16(task.device)
        settings["per_device_train_batch_size"] = task.options.get("packs", 1)
    return SFTTrainer(
        model=task.model,
        args=SFTConfig(**settings),
        train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(task.model),
        callbacks=[clock],
        **({"peft_config": _lora()} if task.method == "lora" else {}),
    )


def _trainer(clock: Clock, peer: str) -> Trainer:
    from transformers import DataCollatorForSeq2Seq, DataCollatorWithFlattening

    model = AutoModelForCausalLM.from_pretrained(task.model, dtype=torch.float32)
    if task.method == "lora":
        model = get_peft_model(model, _lora())
    rows = [
        {"input_ids": row["ids"], "labels": _labels(row["ids"], row["learned"])} for row in task.examples()
    ]
    if peer == "trainer_flattening":
        collator = DataCollatorWithFlattening()
    else:
        tokens = AutoTokenizer.from_pretrained(task.model)
        # Which token fills up makes no difference: it is masked.
        tokens.pad_token = tokens.pad_token or tokens.convert_ids_to_tokens(0)
        collator = DataCollatorForSeq2Seq(tokens, padding=True)
        rows = [row | {"attention_mask": [1] * len(row["input_ids"])} for row in rows]
    return Trainer(
        model=model,
        args=TrainingArguments(**_common(), bf16=is_fast_at_bfloat16(task.device)),
        train_dataset=Dataset.from_list(rows),
        data_collator=collator,
        callbacks=[clock],
    )


@torch.inference_mode()
def _validate(model: torch.nn.Module) -> float:
    """The mean loss over the learned tokens of the rows that were held out, one by one."""
    model.eval()
    total, tokens = 0.0, 0
    for row in task.all_rows()[task.count :]:
        ids, labels = (torch.tensor([found]) for found in (row["ids"], _labels(row["ids"], row["learned"])))
        count = int((labels[:, 1:] != _IGNORED).sum())
        total += float(model(input_ids=ids, labels=labels).loss) * count
        tokens += count
    return total / tokens


def _labels(ids: list[int], learned: list[int]) -> list[int]:
    return [token if is_learned else _IGNORED for token, is_learned in zip(ids, learned, strict=True)]


if __name__ == "__main__":
    main()
