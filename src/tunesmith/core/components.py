"""All extension points and what is built in, as strings: importing this imports no component."""

from __future__ import annotations

from tunesmith.core.registry import Registry

tasks = Registry(
    "task",
    "tunesmith.tasks",
    {
        "classify": "tunesmith.tasks.classify:Classify",
        "generate": "tunesmith.tasks.generate:Generate",
        "chat": "tunesmith.tasks.chat:Chat",
    },
)
cleaners = Registry(
    "cleaner",
    "tunesmith.cleaners",
    {
        "normalise": "tunesmith.data.clean:normalise",
        "strip_html": "tunesmith.data.clean:strip_html",
        "fix_mojibake": "tunesmith.data.clean:fix_mojibake",
        "mask_pii": "tunesmith.data.clean:mask_pii",
        "drop_unlabelled": "tunesmith.data.clean:drop_unlabelled",
        "dedup": "tunesmith.data.clean:dedup",
    },
)
losses = Registry("loss", "tunesmith.losses", {"cross_entropy": "tunesmith.train.losses:cross_entropy"})
optimizers = Registry("optimizer", "tunesmith.optimizers", {"adamw": "tunesmith.train.optimizers:adamw"})
schedules = Registry(
    "schedule",
    "tunesmith.schedules",
    {
        "constant": "tunesmith.train.schedules:constant",
        "linear": "tunesmith.train.schedules:linear",
        "cosine": "tunesmith.train.schedules:cosine",
    },
)
methods = Registry(
    "method",
    "tunesmith.methods",
    {"full": "tunesmith.train.methods:full", "lora": "tunesmith.train.methods:lora"},
)
metrics = Registry(
    "metric",
    "tunesmith.metrics",
    {
        "accuracy": "tunesmith.eval.metrics:accuracy",
        "macro_f1": "tunesmith.eval.metrics:macro_f1",
        "perplexity": "tunesmith.eval.metrics:perplexity",
    },
)
registries = {
    registry.noun: registry for registry in (tasks, cleaners, losses, optimizers, schedules, methods, metrics)
}
